package policy

import (
	"net/netip"
	"path/filepath"
	"time"
)

// The words of Checks.Forge.
const (
	ForgeGithub = "github"
	ForgeGitlab = "gitlab"
	ForgeGitea  = "gitea"
	ForgeNotes  = "notes" // Git notes in the repository itself
	ForgeNone   = "none"
)

// The words of Checks.Forks.
const (
	ForksAllow = "allow"
	ForksDeny  = "deny"
)

// WholeSeed is Freeze.Cluster where it is for every cluster.
const WholeSeed = "*"

// Config is one seed's connections, with the defaults filled in.
type Config struct {
	Seed string
	// SeedResource is the KKP Seed object as namespace/name; may be empty.
	SeedResource string
	Schedule     string // valid for ParseSchedule
	PolicyFile   string
	Console      Console
	Sources      []Source // in the order of the file
	Freeze       []Freeze
	// ApplyRate is writes a second; 0 is no limit.
	ApplyRate float64
}

// Console is where people can see the pages, and who sees what on them.
type Console struct {
	URL string // without a slash at its end; empty: none
	// ProjectsHeader is the header in which an authenticating proxy names the
	// viewer's projects. Empty: everyone who reaches the pages sees all.
	ProjectsHeader string
	// ProjectsPrefix is what values of the header begin with that name a project.
	ProjectsPrefix string
	// AllProjects is the value of the header that shows everything; empty: none.
	AllProjects string
	// TrustedProxies are the addresses whose headers count.
	TrustedProxies []netip.Prefix
	// SharedSecretFile holds what the proxy proves itself with, in
	// SharedSecretHeader; empty: its address alone.
	SharedSecretFile, SharedSecretHeader string
}

// Limited tells whether viewers see their own projects only.
func (c Console) Limited() bool { return c.ProjectsHeader != "" }

// Freeze holds new lists back.
type Freeze struct {
	Cluster string // an ID, or WholeSeed
	Until   time.Time
	Reason  string
}

// Source is one repository. Exactly one of Path and Tenant is set.
type Source struct {
	Name   string // unique
	URL    string // without a password
	Branch string
	Path   string // clean, with slashes; "." is the root
	Tenant string
	// Tenants are those read below Path; empty: all.
	Tenants      []string
	Credentials  Credentials
	InsecureHTTP bool
	Verify       Verify
	Checks       Checks
}

// Credentials is how to log in: at most one of a token, a name with a
// password, a key, an App. All are names of files; none is a secret.
type Credentials struct {
	TokenFile      string
	Username       string
	PasswordFile   string
	SSHKeyFile     string
	KnownHostsFile string
	CAFile         string
	Proxy          string
	GithubApp      *GithubApp // nil: none
}

// GithubApp is an App's installation.
type GithubApp struct {
	AppID, InstallationID int64
	PrivateKeyFile        string
}

// Verify holds whose signatures count; empty where commits need none.
type Verify struct {
	PGPKeyRingFile        string
	SSHAllowedSignersFile string
}

// Wanted tells whether commits must be signed.
func (v Verify) Wanted() bool { return v != Verify{} }

// Checks is where the outcome of a commit is told.
type Checks struct {
	Forge             string // ForgeNone without checks
	URL               string // of the forge; empty for notes and none
	Repository        string // owner/name
	TokenFile         string
	PullRequests      bool
	Forks             string // ForksAllow, ForksDeny
	WebhookSecretFile string
	Deadline          time.Duration // more than 0
}

// Resolve makes the names of files absolute: they are relative to the Config's
// folder, which is dir.
func (c *Config) Resolve(dir string) {
	files := []*string{&c.PolicyFile, &c.Console.SharedSecretFile}
	for i := range c.Sources {
		s := &c.Sources[i]
		files = append(files, &s.Credentials.TokenFile, &s.Credentials.PasswordFile, &s.Credentials.SSHKeyFile,
			&s.Credentials.KnownHostsFile, &s.Credentials.CAFile, &s.Verify.PGPKeyRingFile,
			&s.Verify.SSHAllowedSignersFile, &s.Checks.TokenFile, &s.Checks.WebhookSecretFile)
		if app := s.Credentials.GithubApp; app != nil {
			files = append(files, &app.PrivateKeyFile)
		}
	}
	for _, f := range files {
		if *f != "" && !filepath.IsAbs(*f) {
			*f = filepath.Join(dir, *f)
		}
	}
}
