package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestAutoMerge runs the script of the reviewer's guide as an operator would:
// what is routine and the tenant's own is merged, and nothing else is.
func TestAutoMerge(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("PORTCULLIS_TEST_SERVERS") == "required" {
			t.Fatalf("the script needs %s", program)
		} else if err != nil {
			t.Skipf("the script needs %s", program)
		}
	}
	p := onGiteaWithPulls(t)
	first := p.populate()
	p.start()
	p.await("the first status", p.status(first, stage.Failure))

	own := p.propose("own", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.96/28}"))
	path := stage.InitechProject + "/everything.yaml"
	text, err := p.Read(path)
	p.must(err)
	foreign := p.propose("foreign", path, strings.Replace(text, "cidrs: [", "cidrs: [192.0.2.160/27, ", 1))
	text, err = p.Read("acme/production.yaml")
	p.must(err)
	review := p.propose("review", "acme/production.yaml", strings.Replace(text, "198.51.100.40", "198.51.100.47", 1))
	p.await("their checks", p.status(own.Head.Sha, stage.Success, "routine"),
		p.status(foreign.Head.Sha, stage.Success, "routine"), p.status(review.Head.Sha, stage.Success, "review"))
	robot := p.reporter(own.Head.Sha)

	said := p.autoMerge(robot, "DRY_RUN=1")
	p.says(said, own.Index, "would be merged at "+own.Head.Sha)
	p.says(p.autoMerge("somebody-else"), own.Index, "left: not routine on each of: eu-west")
	p.says(p.autoMerge(robot, "SEEDS=eu-west us-east"), own.Index, "left: not routine on each of: eu-west us-east")

	// Whoever may write can set the status, but not as the reconciler.
	_, _, err = p.admin.CreateStatus(p.server.Admin.Name, p.repo, review.Head.Sha, sdk.CreateStatusOption{
		State: sdk.StatusSuccess, Context: "portcullis/eu-west", Description: "routine: trust me"})
	p.must(err)
	said = p.autoMerge(robot)
	p.says(said, own.Index, "merged at "+own.Head.Sha)
	p.says(said, foreign.Index, "left: "+p.tenant.Name+" does not speak for all that it changes")
	p.says(said, review.Index, "left: not routine on each of: eu-west")
	p.await("the list in force", p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...))
	if said := p.autoMerge(robot); strings.Contains(said, "merged at") {
		t.Errorf("more was merged:\n%s", said)
	}
}

// reporter is the account that sets the statuses.
func (p *withPulls) reporter(sha string) string {
	p.t.Helper()
	list, _, err := p.admin.ListStatuses(p.server.Admin.Name, p.repo, sha, sdk.ListStatusesOption{})
	p.must(err)
	if len(list) == 0 {
		p.t.Fatal("no status")
	}
	return list[0].Creator.UserName
}

// autoMerge runs the script once, with these variables besides its own.
func (p *withPulls) autoMerge(reporter string, more ...string) string {
	p.t.Helper()
	dir := p.t.TempDir()
	token, authors := filepath.Join(dir, "token"), filepath.Join(dir, "authors")
	p.must(os.WriteFile(token, []byte(p.server.Admin.Token+"\n"), 0o600))
	p.must(os.WriteFile(authors, []byte(fmt.Sprintf("acme somebody %s\n%s %s-not\n", p.tenant.Name, p.Own(stage.InitechProject), p.tenant.Name)), 0o600))
	cmd := exec.CommandContext(p.t.Context(), filepath.Join("..", "..", "examples", "automerge", "gitea.sh"))
	cmd.Env = append(os.Environ(), "FORGE_URL="+p.server.URL, "REPOSITORY="+p.server.Admin.Name+"/"+p.repo, "TOKEN_FILE="+token,
		"SEEDS=eu-west", "REPORTER="+reporter, "AUTHORS="+authors)
	cmd.Env = append(cmd.Env, more...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// says fails where the script did not say so of a pull request.
func (p *withPulls) says(out string, number int64, what string) {
	p.t.Helper()
	if line := fmt.Sprintf("#%d: %s\n", number, what); !strings.Contains(out, line) {
		p.t.Errorf("the script did not say %q but\n%s", line, out)
	}
}
