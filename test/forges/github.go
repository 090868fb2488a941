package forges

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// What the stand-in for GitHub knows: one repository, one token, one App.
const (
	Owner          = "hosting"
	Name           = "allowlists"
	Robot          = "robot"  // who the token belongs to
	RobotToken     = "s3cret" //
	AppID          = 11
	InstallationID = 22
	appSlug        = "portcullis-eu"
	// AppLogin is who an App writes as.
	AppLogin = appSlug + "[bot]"
)

// maxStatuses is GitHub's limit for one commit and context
// (docs.github.com/rest/commits/statuses).
const maxStatuses = 1000

// GitHub is a stand-in for GitHub Enterprise Server: its API is below /api/v3.
type GitHub struct {
	site
	repository
	key         *rsa.PrivateKey
	description *Description // nil: answers hold only what is asked for
	tokens      map[string]time.Time
	minted      int
	now         func() time.Time
}

// NewGitHub starts a stand-in. Answers are completed from the description,
// where there is one; now is the host's clock. Whoever starts it closes it.
func NewGitHub(d *Description, now func() time.Time) (*GitHub, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	g := &GitHub{key: key, description: d, tokens: map[string]time.Time{}, now: now}
	mux := http.NewServeMux()
	repo := "/api/v3/repos/" + Owner + "/" + Name
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET " + repo: g.show, "GET " + repo + "/commits/{sha}": g.showCommit,
		"POST " + repo + "/statuses/{sha}":          g.createStatus,
		"POST " + repo + "/check-runs":              g.asApp(g.createRun),
		"PATCH " + repo + "/check-runs/{id}":        g.asApp(g.updateRun),
		"GET " + repo + "/pulls":                    g.listPulls,
		"GET " + repo + "/pulls/{number}":           g.showPull,
		"GET " + repo + "/issues/{number}/comments": g.listComments, "POST " + repo + "/issues/{number}/comments": g.createComment,
		"PATCH " + repo + "/issues/comments/{id}":           g.updateComment,
		"GET /api/v3/user":                                  g.user,
		"GET /api/v3/app":                                   g.app,
		"POST /api/v3/app/installations/{id}/access_tokens": g.mint,
		"/": func(w http.ResponseWriter, r *http.Request) { g.message(w, r, http.StatusNotFound, "Not Found") },
	} {
		mux.HandleFunc(pattern, handler)
	}
	g.start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		w.Header().Set("Date", g.now().UTC().Format(http.TimeFormat))
		w.Header().Set("X-RateLimit-Limit", "5000")
		w.Header().Set("X-RateLimit-Remaining", "4999")
		if g.login(r) == "" {
			g.message(w, r, http.StatusUnauthorized, "Bad credentials")
			return
		}
		mux.ServeHTTP(w, r)
	}))
	return g, nil
}

// PrivateKey is the App's, in PEM.
func (g *GitHub) PrivateKey() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(g.key)})
}

// Minted is how many tokens were asked for.
func (g *GitHub) Minted() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.minted
}

// Revoke ends all tokens of the installation.
func (g *GitHub) Revoke() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.tokens)
}

// TokenIsGood tells whether Git over https would take this password.
func (g *GitHub) TokenIsGood(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now().Before(g.tokens[token])
}

// login is who asks: the robot, the App itself by its JWT, or its
// installation; empty: nobody.
func (g *GitHub) login(r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok:
		return ""
	case token == RobotToken:
		return Robot
	case g.now().Before(g.tokens[token]):
		return AppLogin
	case strings.HasPrefix(r.URL.Path, "/api/v3/app") && g.isApp(token):
		return appSlug
	}
	return ""
}

// isApp takes a JWT as GitHub does: of the App, signed with its key, good now,
// and for ten minutes at most.
func (g *GitHub) isApp(token string) bool {
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return &g.key.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuedAt(), jwt.WithExpirationRequired(), jwt.WithTimeFunc(g.now))
	return err == nil && claims.Issuer == fmt.Sprint(AppID) && claims.IssuedAt != nil && claims.ExpiresAt.Sub(g.now()) <= 10*time.Minute
}

// asApp lets nobody but an installation through.
func (g *GitHub) asApp(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if g.login(r) != AppLogin {
			g.message(w, r, http.StatusForbidden, "You must authenticate via a GitHub App.")
			return
		}
		next(w, r)
	}
}

func (g *GitHub) mint(w http.ResponseWriter, r *http.Request) {
	if g.login(r) != appSlug || pathNumber(r, "id") != InstallationID {
		g.message(w, r, http.StatusNotFound, "Integration not found")
		return
	}
	g.minted++
	token, until := fmt.Sprintf("ghs_canary%d", g.minted), g.now().Add(time.Hour).Truncate(time.Second)
	g.tokens[token] = until
	g.reply(w, r, http.StatusCreated, object{"token": token, "expires_at": until.UTC().Format(time.RFC3339)})
}

func (g *GitHub) app(w http.ResponseWriter, r *http.Request) {
	if g.login(r) != appSlug {
		g.message(w, r, http.StatusUnauthorized, "A JSON web token could not be decoded")
		return
	}
	g.reply(w, r, http.StatusOK, object{"id": AppID, "slug": appSlug})
}

func (g *GitHub) user(w http.ResponseWriter, r *http.Request) {
	if g.login(r) != Robot {
		g.message(w, r, http.StatusForbidden, "Resource not accessible by integration")
		return
	}
	g.reply(w, r, http.StatusOK, object{"login": Robot})
}

func (g *GitHub) show(w http.ResponseWriter, r *http.Request) {
	g.reply(w, r, http.StatusOK, object{"id": 1, "full_name": Owner + "/" + Name})
}

func (g *GitHub) showCommit(w http.ResponseWriter, r *http.Request) {
	sha := r.PathValue("sha")
	if !g.has(sha) {
		g.message(w, r, http.StatusUnprocessableEntity, "No commit found for SHA: "+sha)
		return
	}
	g.reply(w, r, http.StatusOK, object{"sha": sha})
}

// reply completes what is answered to what GitHub's description requires.
func (g *GitHub) reply(w http.ResponseWriter, r *http.Request, code int, body any) {
	full, err := g.complete(r, code, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reply(w, code, full)
}

func (g *GitHub) complete(r *http.Request, code int, body any) (any, error) {
	if g.description == nil {
		return body, nil
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return nil, err
	}
	return g.description.Complete(r.Method, strings.TrimPrefix(r.URL.Path, "/api/v3"), code, plain)
}

func (g *GitHub) message(w http.ResponseWriter, _ *http.Request, code int, text string) {
	reply(w, code, object{"message": text, "documentation_url": "https://docs.github.com/rest", "status": fmt.Sprint(code)})
}

// invalid is GitHub's answer to a request that it understands and does not take.
func (g *GitHub) invalid(w http.ResponseWriter, resource, text string) {
	reply(w, http.StatusUnprocessableEntity, object{"message": "Validation Failed", "documentation_url": "https://docs.github.com/rest",
		"errors": []object{{"resource": resource, "code": "custom", "message": text}}})
}
