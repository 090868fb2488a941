package forges

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// WithGit is GitHub with its Git beside the API: what is asked for below a
// name that ends in .git is asked of a server of Git's own, for who logs in as
// an installation with a token that is good now, or with the robot's.
func (g *GitHub) WithGit(server, user, password string) (http.Handler, error) {
	return g.withGit(server, user, password, "GitHub", func(user, token string) bool {
		return token == RobotToken || user == "x-access-token" && g.TokenIsGood(token)
	})
}

// WithGit is GitLab with its Git beside the API: a token is the password of any
// user name that is not empty (docs.gitlab.com/user/profile/personal_access_tokens).
func (g *GitLab) WithGit(server, user, password string) (http.Handler, error) {
	return g.withGit(server, user, password, "GitLab", func(user, token string) bool { return user != "" && token == RobotToken })
}

func (s *site) withGit(server, user, password, realm string, good func(user, token string) bool) (http.Handler, error) {
	to, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	through := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.SetBasicAuth(user, password)
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, ".git/") {
			s.Config.Handler.ServeHTTP(w, r)
			return
		}
		if user, token, _ := r.BasicAuth(); !good(user, token) {
			w.Header().Set("WWW-Authenticate", `Basic realm="`+realm+`"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		through.ServeHTTP(w, r)
	}), nil
}
