package servers

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"text/template"
)

// appINI configures a Gitea that needs nothing but its folder, asks nobody on
// the network, and does nothing that it is not asked for. Gitea itself refuses
// to run as root without the word in the first section, where it belongs to no
// named one. Webhooks may go to loopback, where the tests' receivers are.
// Pages come without styles: the module has none built.
const appINI = `APP_NAME = Gitea for tests
RUN_MODE = prod
RUN_USER = {{.User}}
WORK_PATH = {{.Dir}}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true

[server]
PROTOCOL = http+unix
HTTP_ADDR = {{.Socket}}
ROOT_URL = {{.URL}}/
LOCAL_ROOT_URL = http://unix/
STATIC_ROOT_PATH = {{.Static}}
APP_DATA_PATH = {{.Dir}}/data
DISABLE_SSH = true
OFFLINE_MODE = true

[database]
DB_TYPE = sqlite3
PATH = {{.Dir}}/gitea.db
SQLITE_JOURNAL_MODE = WAL
SQLITE_TIMEOUT = 10000

[repository]
ROOT = {{.Dir}}/repositories
DEFAULT_BRANCH = main
DEFAULT_PRIVATE = private
ENABLE_PUSH_CREATE_USER = false

[security]
INSTALL_LOCK = true

[service]
DISABLE_REGISTRATION = true
REQUIRE_SIGNIN_VIEW = false

[webhook]
ALLOWED_HOST_LIST = loopback

[cron]
ENABLED = false

[actions]
ENABLED = false

[packages]
ENABLED = false

[indexer]
ISSUE_INDEXER_TYPE = db

[mailer]
ENABLED = false

[log]
MODE = console
LEVEL = Warn
`

type giteaConfig struct{ User, Dir, Socket, URL, Static string }

// writeConfig writes app.ini and returns its path.
func (c giteaConfig) write() (string, error) {
	var text bytes.Buffer
	if err := template.Must(template.New("app.ini").Parse(appINI)).Execute(&text, c); err != nil {
		return "", fmt.Errorf("make app.ini: %w", err)
	}
	path := filepath.Join(c.Dir, "app.ini")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		return "", fmt.Errorf("write app.ini: %w", err)
	}
	return path, nil
}

// currentUser is the name that Gitea compares RUN_USER with.
func currentUser() (string, error) {
	me, err := user.Current()
	if err != nil {
		return "", fmt.Errorf("ask who runs this: %w", err)
	}
	return me.Username, nil
}

// giteaStatic is the folder of Gitea's templates and translations: the module
// in the module cache, in the version that the program was built from, as the
// program itself tells.
func giteaStatic(program string) (string, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", fmt.Errorf("read the version of %s: %w", program, err)
	}
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		return "", fmt.Errorf("ask go for its module cache: %w", err)
	}
	static := filepath.Join(strings.TrimSpace(string(out)), info.Main.Path+"@"+info.Main.Version)
	if _, err := os.Stat(filepath.Join(static, "templates")); err != nil {
		return "", fmt.Errorf("find the templates of %s: %w: run `make tools`", filepath.Base(static), err)
	}
	return static, nil
}
