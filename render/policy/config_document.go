package policy

import (
	"net/netip"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// KindConfig is the kind of a Config's document.
const KindConfig = "Config"

// ConfigDocument is one seed's connections. A change takes a restart.
type ConfigDocument struct {
	document.Node
	// APIVersion is the version of the format.
	APIVersion document.Value[string] `yaml:"apiVersion" required:"true"`
	// Kind is the kind of the document.
	Kind document.Value[string] `yaml:"kind" required:"true"`
	// Seed is the seed's name, as the Policy and tenants' files use it. The
	// check is called portcullis/<seed>.
	Seed document.Value[string] `yaml:"seed" required:"true" check:"name"`
	// SeedResource is the KKP Seed object, namespace/name, whose own ranges KKP
	// adds to every list. Default: none, and those ranges count as empty.
	SeedResource document.Value[string] `yaml:"seedResource"`
	// Schedule is when Git is asked for news, in the syntax of robfig/cron.
	// Default: @every 1m.
	Schedule document.Value[string] `yaml:"schedule" default:"@every 1m"`
	// PolicyFile is the Policy, relative to this file.
	PolicyFile document.Value[string] `yaml:"policyFile" required:"true"`
	// Console is where the pages can be seen.
	Console ConsoleDocument `yaml:"console"`
	// Sources are the repositories.
	Sources document.List[SourceDocument] `yaml:"sources"`
	// Freeze holds new lists back for a time.
	Freeze document.List[FreezeDocument] `yaml:"freeze"`
	// Apply says how lists are written.
	Apply ApplyDocument `yaml:"apply"`
}

// ConsoleDocument is where the pages can be seen, and who sees what on them.
type ConsoleDocument struct {
	document.Node
	// URL is the address for people, http or https. Default: none.
	URL document.Value[string] `yaml:"url"`
	// ProjectsHeader is the header in which an authenticating proxy names the
	// viewer's projects, with commas between: nothing of others is shown. It
	// needs trustedProxies, sharedSecretFile, or both. Default: none, and
	// everyone who reaches the pages sees all.
	ProjectsHeader document.Value[string] `yaml:"projectsHeader"`
	// ProjectsPrefix is what those values of projectsHeader begin with that name
	// a project; others are passed over. Default: none, all do.
	ProjectsPrefix document.Value[string] `yaml:"projectsPrefix"`
	// AllProjects is the value of projectsHeader that shows everything, such as
	// a group of operators. Default: none does.
	AllProjects document.Value[string] `yaml:"allProjects"`
	// TrustedProxies are the addresses of proxies whose projectsHeader and
	// X-Forwarded-For count. Default: none.
	TrustedProxies document.List[document.Value[netip.Prefix]] `yaml:"trustedProxies"`
	// SharedSecretFile holds what the proxy must send in sharedSecretHeader, at
	// least 16 bytes; re-read. With trustedProxies both are wanted. Default:
	// none, the address counts alone.
	SharedSecretFile document.Value[string] `yaml:"sharedSecretFile"`
	// SharedSecretHeader is the header with the secret. Default:
	// X-Portcullis-Secret.
	SharedSecretHeader document.Value[string] `yaml:"sharedSecretHeader" default:"X-Portcullis-Secret"`
}

// ApplyDocument says how lists are written.
type ApplyDocument struct {
	document.Node
	// Rate is how many writes a second, 0 for no limit. Default: 20.
	Rate document.Value[float64] `yaml:"rate" default:"20"`
}

// FreezeDocument holds new lists back for a time.
type FreezeDocument struct {
	document.Node
	// Cluster is a cluster's ID, or "*" for the seed.
	Cluster document.Value[string] `yaml:"cluster" required:"true"`
	// Until is an RFC 3339 time.
	Until document.Written[document.Date] `yaml:"until" required:"true"`
	// Reason is shown with what is held.
	Reason document.Value[string] `yaml:"reason"`
}

// SourceDocument is one repository. Exactly one of path and tenant.
type SourceDocument struct {
	document.Node `choice:"path tenant"`
	// Name is a DNS label, unique among the sources.
	Name document.Value[string] `yaml:"name" required:"true"`
	// URL is https, ssh or file; http on loopback, or with insecureHTTP. It
	// holds no password.
	URL document.Value[string] `yaml:"url" required:"true"`
	// Branch is what is followed. Default: main.
	Branch document.Value[string] `yaml:"branch" default:"main"`
	// Path is the folder of a shared repository whose folders are tenants.
	Path document.Value[string] `yaml:"path"`
	// Tenant is whose own repository this is.
	Tenant document.Value[string] `yaml:"tenant"`
	// Tenants are those read below path. Needed with several sources; else all.
	Tenants document.List[document.Value[string]] `yaml:"tenants"`
	// Credentials are for reading, and for writing notes.
	Credentials CredentialsDocument `yaml:"credentials"`
	// InsecureHTTP permits http to other hosts, here and of checks.url.
	// Default: false.
	InsecureHTTP document.Value[bool] `yaml:"insecureHTTP" default:"false"`
	// Verify wants the head commit signed; one that is not is held. Default: not.
	Verify VerifyDocument `yaml:"verify"`
	// Checks says where the outcome of a commit is told.
	Checks ChecksDocument `yaml:"checks"`
}

// CredentialsDocument is one way to log in: tokenFile, username with
// passwordFile, sshKeyFile with knownHostsFile, or githubApp; and what the
// connection needs. Names of files are relative to the Config.
type CredentialsDocument struct {
	document.Node
	// TokenFile holds a token, for https.
	TokenFile document.Value[string] `yaml:"tokenFile"`
	// Username is for https, with passwordFile.
	Username document.Value[string] `yaml:"username"`
	// PasswordFile holds the password.
	PasswordFile document.Value[string] `yaml:"passwordFile"`
	// SSHKeyFile holds a private key, for ssh, with knownHostsFile.
	SSHKeyFile document.Value[string] `yaml:"sshKeyFile"`
	// KnownHostsFile holds the host keys that are trusted; no others are.
	KnownHostsFile document.Value[string] `yaml:"knownHostsFile"`
	// GithubApp is an installation of a GitHub App, for https.
	GithubApp GithubAppDocument `yaml:"githubApp"`
	// CAFile holds certificates trusted besides the system's, PEM.
	CAFile document.Value[string] `yaml:"caFile"`
	// Proxy is an http, https or socks5 address without a password.
	Proxy document.Value[string] `yaml:"proxy"`
}

// GithubAppDocument logs in as a GitHub App.
type GithubAppDocument struct {
	document.Node
	// AppID is the App's number.
	AppID document.Value[int] `yaml:"appID" required:"true"`
	// InstallationID is the installation's number.
	InstallationID document.Value[int] `yaml:"installationID" required:"true"`
	// PrivateKeyFile holds the App's private key, PEM.
	PrivateKeyFile document.Value[string] `yaml:"privateKeyFile" required:"true"`
}

// VerifyDocument holds whose signatures count. At least one of the two.
type VerifyDocument struct {
	document.Node
	// PGPKeyRingFile is an armored key ring, up to 1 MiB. A key must be neither
	// expired nor revoked when the commit is judged. Read each time.
	PGPKeyRingFile document.Value[string] `yaml:"pgpKeyRingFile"`
	// SSHAllowedSignersFile is in the format of ssh-keygen(1), without
	// cert-authority, up to 1 MiB. valid-after and valid-before are held against
	// the commit's date, as Git does. Read each time.
	SSHAllowedSignersFile document.Value[string] `yaml:"sshAllowedSignersFile"`
}

// ChecksDocument says where the outcome of a commit is told.
type ChecksDocument struct {
	document.Node
	// Forge is the kind of Git host; notes are written into the repository
	// itself. Default, without checks: none.
	Forge document.Value[string] `yaml:"forge" required:"true" oneof:"github gitlab gitea notes none"`
	// URL is the forge's address. Needed for gitea; default for github
	// https://github.com, for gitlab https://gitlab.com.
	URL document.Value[string] `yaml:"url"`
	// Repository is owner/name; for gitlab, groups may have subgroups.
	Repository document.Value[string] `yaml:"repository"`
	// TokenFile holds the forge's token. Needed but with githubApp.
	TokenFile document.Value[string] `yaml:"tokenFile"`
	// PullRequests judges open pull requests. Default: false.
	PullRequests document.Value[bool] `yaml:"pullRequests" default:"false"`
	// Forks says whether those that come from forks are judged. Default: allow.
	Forks document.Value[string] `yaml:"forks" oneof:"allow deny" default:"allow"`
	// WebhookSecretFile holds what webhooks are signed with. Default: no
	// webhooks are taken.
	WebhookSecretFile document.Value[string] `yaml:"webhookSecretFile"`
	// Deadline is after how long a list not yet in force fails the check, more
	// than 0. Default: 15m.
	Deadline document.Value[time.Duration] `yaml:"deadline" default:"15m"`
}
