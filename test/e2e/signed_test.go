package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// sign has the commits of the stage's clone signed from now on, by a key of
// that name; without a name they are not. It answers the key's line for a file
// of allowed signers.
func (p *play) sign(dir, name string) string {
	p.t.Helper()
	run := func(program string, args ...string) {
		p.t.Helper()
		if out, err := exec.CommandContext(p.ctx, program, args...).CombinedOutput(); err != nil {
			p.t.Fatalf("%s %v: %v\n%s", program, args, err, out)
		}
	}
	if name == "" {
		run("git", "-C", p.Work, "config", "commit.gpgSign", "false")
		return ""
	}
	key := filepath.Join(dir, name)
	run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key)
	for setting, value := range map[string]string{"commit.gpgSign": "true", "gpg.format": "ssh", "user.signingKey": key} {
		run("git", "-C", p.Work, "config", setting, value)
	}
	public, err := os.ReadFile(key + ".pub")
	p.must(err)
	return name + "@acme.example " + string(public)
}

// TestUnsignedCommitsAreHeld: only a commit that somebody known has signed is
// followed, or one that is approved.
func TestUnsignedCommitsAreHeld(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("nothing can be signed: there is no ssh-keygen on PATH")
	}
	dir := t.TempDir()
	signers := filepath.Join(dir, "signers")
	p := set(t, stage.Options{Config: func(d stage.Document) {
		d.Source()["verify"] = map[string]any{"sshAllowedSignersFile": signers}
	}})
	first := p.populate()
	known := p.sign(dir, "known")
	p.must(os.WriteFile(signers, []byte(known), 0o600))
	p.start()
	p.await("the hold", p.Noted(first, stage.Failure, "held: not signed by a known key: it has no signature", "portcullis approve customers@"+first))
	p.stop() // and is asked about anew after a restart
	p.start()
	p.morePolls(2)
	for _, id := range []string{stage.ShopStaging, stage.Billing} {
		if list, set, err := p.List(p.ctx, id); set || err != nil {
			t.Errorf("%s has the list %v, %v, although nothing was accepted", id, list, err)
		}
	}
	if out, code := p.command("approve", "customers@"+first, "--reason", "imported before there were keys"); code != 0 {
		t.Fatalf("approve ended with %d: %s", code, out)
	}
	p.await("what was approved", p.InForce(stage.ShopStaging, stage.StagingList()...), p.InForce(stage.Billing, stage.BillingList()...))

	signed := p.edit("acme/production.yaml", "192.0.2.77", "192.0.2.78")
	p.await("a signed commit", p.Noted(signed, stage.Success))

	p.sign(dir, "")
	unsigned := p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	p.await("the hold", p.Noted(unsigned, stage.Failure, "held: not signed by a known key"))
	p.holds(p.InForce(stage.ShopStaging, stage.StagingList()...))

	unknown := p.sign(dir, "unknown")
	above := p.edit("acme/production.yaml", "192.0.2.78", "192.0.2.79")
	p.await("the hold of the next", p.Noted(above, stage.Failure, "held: not signed by a known key: SSH key SHA256:"))
	p.holds(p.InForce(stage.ShopStaging, stage.StagingList()...))
	p.must(os.WriteFile(signers, []byte(known+unknown), 0o600))
	p.await("all of it, once the key is known", p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...),
		p.Noted(above, stage.Success), p.Noted(unsigned, stage.Success, "superseded by "+above))

	p.must(os.Remove(signers))
	last := p.edit("acme/production.yaml", "192.0.2.79", "192.0.2.80")
	p.await("the hold without keys", p.Noted(last, stage.Failure, "held: not signed by a known key: the known SSH keys cannot be read"))
	p.must(os.WriteFile(signers, []byte(unknown), 0o600))
	p.await("the commit, with them", p.Noted(last, stage.Success))
}
