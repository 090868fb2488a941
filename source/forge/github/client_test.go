package github

import "testing"

// Where the API of a host is, by docs.github.com/rest: github.com and the
// domains below ghe.com have a host for it, Enterprise Server a path.
func TestAPIOf(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://github.com":           "https://api.github.com/",
		"https://www.github.com":       "https://api.github.com/",
		"https://GitHub.com":           "https://api.github.com/",
		"https://api.github.com":       "https://api.github.com/",
		"https://acme.ghe.com":         "https://api.acme.ghe.com/",
		"https://api.acme.ghe.com":     "https://api.acme.ghe.com/",
		"https://git.example.com":      "https://git.example.com/api/v3/",
		"https://git.example.com:8443": "https://git.example.com:8443/api/v3/",
		"https://example.com/github":   "https://example.com/github/api/v3/",
		"https://notgithub.com":        "https://notgithub.com/api/v3/",
		"http://127.0.0.1:3000":        "http://127.0.0.1:3000/api/v3/",
	} {
		if got := apiOf(base); got != want {
			t.Errorf("API of %s: %s, want %s", base, got, want)
		}
	}
}
