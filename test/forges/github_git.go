package forges

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// WithGit is GitHub with its Git beside the API: what is asked for below a
// name that ends in .git is asked of a server of Git's own, for who logs in as
// an installation with a token that is good now.
func (g *GitHub) WithGit(server, user, password string) (http.Handler, error) {
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
			g.Config.Handler.ServeHTTP(w, r)
			return
		}
		if user, token, _ := r.BasicAuth(); user != "x-access-token" || !g.TokenIsGood(token) {
			w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		through.ServeHTTP(w, r)
	}), nil
}
