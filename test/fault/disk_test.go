package fault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// data is the folder of the mirrors.
func (p *play) data() string { return filepath.Join(filepath.Dir(p.Config), "data") }

// TestDiskIsFull from one moment on, on which the command keeps its mirror.
func TestDiskIsFull(t *testing.T) {
	t.Parallel()
	p := set(t, 5, 0, stage.Options{})
	p.smallDisk()
	p.begin()
	before := p.writes()
	ballast := filepath.Join(p.data(), "ballast")
	p.must(fill(ballast))
	sha := p.push(1)
	p.said("no space left on device", "file too large")
	drifted := p.drift(0)
	p.await("drift to be put right", p.InForce(drifted, list(0)...))
	if long() {
		p.lasts(outage())
	}
	if p.Carry(list(1)) > 0 {
		t.Error("the commit came through: the disk was not full")
	}
	p.must(os.Remove(ballast))
	p.await("the commit, once there is room", p.everywhere(1), p.noted(sha))
	p.needed(before, map[string]int{p.Own(drifted): 2}, 0)
	p.settle(1)
	p.must(p.Run.Stop(p.ctx)) // and what a full disk left behind can be taken up
	p.start()
	p.await("another commit", p.noted(p.push(2)), p.everywhere(2))
}

// smallDisk has the command keep its mirror on a disk of a megabyte.
func (p *play) smallDisk() {
	p.t.Helper()
	p.must(os.MkdirAll(p.data(), 0o700))
	if out, err := exec.CommandContext(p.ctx, "mount", "-t", "tmpfs", "-o", "size=1m", "portcullis-fault", p.data()).CombinedOutput(); err != nil {
		p.t.Skipf("a small disk takes the right to mount one: %v: %s", err, out)
	}
	p.t.Cleanup(func() {
		p.must(p.Run.Kill())
		if out, err := exec.Command("umount", p.data()).CombinedOutput(); err != nil {
			p.t.Errorf("umount: %v: %s", err, out)
		}
	})
}

// fill writes a file until there is no more room for it.
func fill(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for block := 64 << 10; block > 0; {
		if _, err := file.Write(make([]byte, block)); err != nil {
			block /= 2 // up to the last byte
		}
	}
	return nil
}

// said waits until the command has logged one of the words.
func (p *play) said(words ...string) {
	p.t.Helper()
	p.await("a word on it", p.logged(words...))
}

// mirrorDamage is something that happens to the mirror.
type mirrorDamage struct {
	name string
	do   func(mirror string) error
}

func mirrorDamages() []mirrorDamage {
	return []mirrorDamage{
		{"packs cut short", eachFile(".pack", func(path string) error { return os.Truncate(path, 40) })},
		{"packs of other bytes", eachFile(".pack", scribble)},
		{"indexes of other bytes", eachFile(".idx", scribble)},
		{"objects gone", func(mirror string) error { return os.RemoveAll(filepath.Join(repositoryOf(mirror), "objects")) }},
		{"refs of other bytes", eachFile("", func(path string) error {
			if strings.Contains(path, "refs") {
				return scribble(path)
			}
			return nil
		})},
		{"config and HEAD of other bytes", func(mirror string) error {
			dir := repositoryOf(mirror)
			return errors.Join(scribble(filepath.Join(dir, "config")), scribble(filepath.Join(dir, "HEAD")))
		}},
		{"all of it gone", os.RemoveAll},
	}
}

// repositoryOf is the bare repository of a source, or that of its notes.
func repositoryOf(dir string) string {
	if below := filepath.Join(dir, "mirror.git"); isFolder(below) {
		return below
	}
	return dir
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// eachFile does something to every file below a folder whose name ends so.
func eachFile(suffix string, do func(path string) error) func(string) error {
	return func(dir string) error {
		return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, suffix) {
				return err
			}
			return do(path)
		})
	}
}

// scribble overwrites a file, in its own length.
func scribble(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.Repeat("scribble", int(info.Size())/8+1))[:info.Size()], 0o600)
}

// TestMirrorIsDamaged under the running command, before the next commit comes
// in; and before it is started again.
func TestMirrorIsDamaged(t *testing.T) {
	t.Parallel()
	p := set(t, 5, 0, stage.Options{})
	p.begin()
	for i, d := range mirrorDamages() {
		t.Run(d.name, func(t *testing.T) {
			p := p.in(t)
			p.damaged(d, 2*i+1, false)
			p.damaged(d, 2*i+2, true)
		})
	}
}

// damaged does damage to the mirrors of the branch and of the notes.
func (p *play) damaged(d mirrorDamage, edition int, restart bool) {
	p.t.Helper()
	before := p.writes()
	mirrors, err := filepath.Glob(filepath.Join(p.data(), "*"))
	p.must(err)
	if len(mirrors) == 0 {
		p.t.Fatal("there is no mirror to damage")
	}
	if restart {
		p.must(p.Run.Stop(p.ctx))
	}
	for _, mirror := range mirrors {
		p.must(d.do(mirror))
	}
	sha := p.push(edition)
	if restart {
		p.start()
	}
	p.await(fmt.Sprintf("the commit, restarted: %t", restart), p.everywhere(edition), p.noted(sha))
	p.needed(before, nil, 0)
	p.settle(edition)
}
