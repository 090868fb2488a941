package policy

import (
	"slices"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// login is one way to log in: the fields that belong to it.
type login struct {
	name   string
	scheme string // of the address that it is for: ssh, or https for both kinds of HTTP
	given  []document.Pos
}

func (r *configReader) credentials(s *SourceDocument, scheme string) Credentials {
	d := &s.Credentials
	out := Credentials{
		TokenFile: r.text("tokenFile", d.TokenFile), Username: r.text("username", d.Username),
		PasswordFile: r.text("passwordFile", d.PasswordFile), SSHKeyFile: r.text("sshKeyFile", d.SSHKeyFile),
		KnownHostsFile: r.text("knownHostsFile", d.KnownHostsFile), CAFile: r.text("caFile", d.CAFile),
		Proxy: r.proxy(d.Proxy), GithubApp: r.githubApp(d.GithubApp),
	}
	r.together("username", d.Username, "passwordFile", d.PasswordFile)
	r.together("sshKeyFile", d.SSHKeyFile, "knownHostsFile", d.KnownHostsFile)
	r.oneLogin(d, scheme)
	r.transport(d, s, scheme)
	return out
}

// together wants both of two fields, or neither.
func (r *configReader) together(a string, va document.Value[string], b string, vb document.Value[string]) {
	none := document.Pos{}
	switch {
	case va.Pos != none && vb.Pos == none:
		r.report(va.Key, b+": ...", "%s is there without %s", a, b)
	case vb.Pos != none && va.Pos == none:
		r.report(vb.Key, a+": ...", "%s is there without %s", b, a)
	}
}

// oneLogin refuses two ways to log in at once, and one that the address has no
// use for.
func (r *configReader) oneLogin(d *CredentialsDocument, scheme string) {
	ways := slices.DeleteFunc([]login{
		{"tokenFile", "https", keys(d.TokenFile)},
		{"username with passwordFile", "https", keys(d.Username, d.PasswordFile)},
		{"sshKeyFile with knownHostsFile", "ssh", keys(d.SSHKeyFile, d.KnownHostsFile)},
		{"githubApp", "https", node(d.GithubApp.Node)},
	}, func(l login) bool { return len(l.given) == 0 })
	slices.SortStableFunc(ways, func(a, b login) int { return order(a.given[0], b.given[0]) })
	for i, l := range ways {
		switch {
		case i > 0:
			r.report(l.given[0], "remove one of the two", "%s is there beside %s, at %s: only one of them can be meant", l.name, ways[0].name, ways[0].given[0])
		case scheme == "file":
			r.report(l.given[0], "remove it", "%s has no effect on a file address", l.name)
		case scheme != "" && (scheme == "ssh") != (l.scheme == "ssh"):
			r.report(l.given[0], "", "%s has no effect on a %s address", l.name, scheme)
		}
	}
}

// keys are where those of the fields stand that are there, in order.
func keys(values ...document.Value[string]) []document.Pos {
	var out []document.Pos
	for _, v := range values {
		if v.Pos != (document.Pos{}) {
			out = append(out, v.Key)
		}
	}
	slices.SortFunc(out, order)
	return out
}

func node(n document.Node) []document.Pos {
	if n.Pos == (document.Pos{}) {
		return nil
	}
	return []document.Pos{n.Key}
}

// transport checks what the connection needs besides.
func (r *configReader) transport(d *CredentialsDocument, s *SourceDocument, scheme string) {
	none := document.Pos{}
	if scheme == "ssh" && d.SSHKeyFile.Pos == none && d.KnownHostsFile.Pos == none {
		r.report(s.Credentials.Or(s.Pos), "credentials: {sshKeyFile: ..., knownHostsFile: ...}", "ssh needs a key, and the host keys that are trusted")
	}
	// A forge's own address, checks.url, is spoken to with the same certificates.
	web := scheme == "" || scheme == "https" || s.Checks.URL.Set
	if d.CAFile.Pos != none && !web {
		r.report(d.CAFile.Key, "remove it", "caFile has no effect on a %s address", scheme)
	}
	if d.Proxy.Pos != none && scheme == "file" && !s.Checks.URL.Set {
		r.report(d.Proxy.Key, "remove it", "proxy has no effect on a file address")
	}
}

func (r *configReader) proxy(v document.Value[string]) string {
	s := r.text("proxy", v)
	if s == "" {
		return ""
	}
	u := r.address("proxy", v)
	switch {
	case u == nil:
	case !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme):
		r.report(v.Pos, "http://host:port", "proxy is neither http, https nor socks5")
	default:
		r.wantsHost("proxy", v, u)
	}
	return s
}

func (r *configReader) githubApp(d GithubAppDocument) *GithubApp {
	if !d.Set {
		return nil
	}
	const mostID = 1 << 53
	return &GithubApp{
		AppID:          int64(r.between("appID", d.AppID, 1, mostID, 0)),
		InstallationID: int64(r.between("installationID", d.InstallationID, 1, mostID, 0)),
		PrivateKeyFile: r.text("privateKeyFile", d.PrivateKeyFile),
	}
}

func (r *configReader) verify(d VerifyDocument) Verify {
	none := document.Pos{}
	if (d.Set || d.Pos == none && d.Key != none) && d.PGPKeyRingFile.Pos == none && d.SSHAllowedSignersFile.Pos == none {
		r.report(d.Key, "pgpKeyRingFile or sshAllowedSignersFile", "verify says nothing of whose signatures count")
	}
	return Verify{PGPKeyRingFile: r.text("pgpKeyRingFile", d.PGPKeyRingFile),
		SSHAllowedSignersFile: r.text("sshAllowedSignersFile", d.SSHAllowedSignersFile)}
}
