package chart_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// user is the image's, who has no name.
const user = 65532

// container does what a container runtime does of what matters here: the root
// file system is mounted so that not even root can write to it, volumes go on
// top, and the program runs without a shell's environment, as the image's user.
// The network is this machine's: the API server is on its loopback.
const container = `set -e
root=$1 pidfile=$2 volumes=$3; shift 3
mount --bind "$root" "$root"
while read -r from to; do mkdir -p "$root$to"; mount --bind "$from" "$root$to"; done < "$volumes"
mount -o remount,bind,ro "$root"
if touch "$root/file" 2>/dev/null; then echo "the root can be written to" >&2; exit 9; fi
echo $$ > "$pidfile"
exec env -i "KUBERNETES_SERVICE_HOST=$KUBE_HOST" "KUBERNETES_SERVICE_PORT=$KUBE_PORT" HOME=/ "PATH=$PATH" \
	setpriv --no-new-privs chroot --userspec=65532:65532 --groups= "$root" "$@"
`

// image has a container of the image stand by as the chart's pod would, take
// over from the reconciler that runs, and apply a change.
func (h *house) image() {
	for _, program := range []string{"buildah", "make", "unshare", "setpriv", "chroot", "mount"} {
		if _, err := exec.LookPath(program); err != nil {
			h.t.Skipf("THE IMAGE IS NOT TESTED: %v (apt-get install buildah)", err)
		}
	}
	if out, err := exec.CommandContext(h.ctx, "unshare", "--mount", "true").CombinedOutput(); err != nil {
		h.t.Skipf("THE IMAGE IS NOT TESTED: it takes the right to mount: %v: %s", err, out)
	}
	rootfs, entry := h.build()
	h.upgrade()
	probes, pages := h.start(rootfs, entry)
	for _, path := range []string{"/healthz", "/readyz"} {
		h.await(path, func(ctx context.Context) error { return answers(ctx, "http://"+probes+path) })
	}
	h.confined()
	if !strings.Contains(h.Run.Log(), "ttempting to acquire leader lease") || strings.Contains(h.Run.Log(), "This replica leads") {
		h.t.Errorf("it does not stand by: %s", h.Run.Log())
	}
	h.must(h.before.Stop(h.ctx))
	h.change("acme/staging.yaml", "cidr: 192.0.2.96/28", "cidr: 192.0.2.112/28", stage.ShopDev, append(stage.StagingList(), "192.0.2.112/28"))
	h.await("the pages", func(ctx context.Context) error {
		return answers(ctx, "http://"+pages+"/api/v1/clusters/"+stage.ShopDev)
	})
}

// build makes the image, and answers where its files are and what it starts.
func (h *house) build() (rootfs string, entry []string) {
	h.t.Helper()
	store := filepath.Join(h.dir, "images")
	buildah := []string{"buildah", "--storage-driver", "vfs", "--root", store + "/root", "--runroot", store + "/run"}
	const name = "localhost/portcullis:test"
	h.command(exec.CommandContext(h.ctx, "make", "-C", root, "image", "IMAGE="+name, "BUILDAH="+strings.Join(buildah, " ")))
	call := func(args ...string) string {
		args = append(buildah[1:len(buildah):len(buildah)], args...)
		out, err := exec.CommandContext(h.ctx, buildah[0], args...).Output()
		h.must(err)
		return strings.TrimSpace(string(out))
	}
	var inspected struct {
		OCIv1 struct {
			Config struct {
				User       string
				Entrypoint []string
			} `json:"config"`
		}
	}
	h.must(json.Unmarshal([]byte(call("inspect", "--type", "image", name)), &inspected))
	config := inspected.OCIv1.Config
	if want := fmt.Sprintf("%d:%d", user, user); config.User != want {
		h.t.Errorf("the image's user is %q, want %q", config.User, want)
	}
	rootfs = call("mount", call("from", "--pull-never", name))
	var files []string
	entries, err := os.ReadDir(rootfs)
	h.must(err)
	for _, e := range entries {
		files = append(files, e.Name())
	}
	for _, f := range files { // the others are mount points that buildah may make
		if f != "portcullis" && f != "tmp" && f != "dev" && f != "proc" && f != "sys" && f != "etc" && f != "run" && f != "var" {
			h.t.Errorf("the image holds %q", files)
		}
	}
	return rootfs, config.Entrypoint
}

// upgrade has the Config name its credentials where the pod has them.
func (h *house) upgrade() {
	h.t.Helper()
	h.must(h.Reconfigure(func(d stage.Document) {
		credentials, _ := d.Source()["credentials"].(map[string]any)
		credentials["passwordFile"] = "/etc/portcullis/mounts/git/password"
	}))
	out, err := helm(h.t, append([]string{"upgrade", release, chart, "--reuse-values", "--set-file", "config=" + h.Config,
		"--set-json", `mounts=[{"name":"git","secret":"git"}]`}, h.helmed...)...)
	h.must(err)
	if !strings.Contains(out, "It reads the Secret git") {
		h.t.Errorf("the notes: %s", out)
	}
}

// start runs the pod's container with its volumes, and answers the addresses of
// its probes and pages.
func (h *house) start(rootfs string, entry []string) (probes, pages string) {
	h.t.Helper()
	pod := h.pod()
	spec := pod.Spec.Containers[0]
	contents := map[string]map[string]string{
		"settings":  h.settings(),
		"mount-git": {"password": servers.GitPassword},
		"data":      {}, "tmp": {},
		"account": {"token": h.token, "namespace": namespace, "ca.crt": string(h.Seed.Plane.Config.CAData)},
	}
	var volumes strings.Builder
	for _, m := range spec.VolumeMounts {
		files, known := contents[m.Name]
		if !known {
			h.t.Fatalf("nobody knows what is in the volume %s", m.Name)
		}
		fmt.Fprintln(&volumes, h.volume(m.Name, files), m.MountPath)
	}
	list := filepath.Join(h.dir, "volumes")
	h.must(os.WriteFile(list, []byte(volumes.String()), 0o600))
	host, port, err := net.SplitHostPort(strings.TrimPrefix(h.Seed.Plane.Config.Host, "https://"))
	h.must(err)
	// The pod's ports may be taken on this machine; the later flag counts.
	probes, pages = h.free(), h.free()
	args := []string{"KUBE_HOST=" + host, "KUBE_PORT=" + port, "unshare", "--mount", "--propagation", "private", "sh", "-c", container, "sh", rootfs, h.pidfile(), list}
	args = append(append(args, entry...), spec.Args...)
	h.before = h.Run
	h.Run = &stage.Process{Binary: "env", Args: append(args, "--metrics-address="+h.free(), "--probe-address="+probes, "--console-address="+pages, "--webhook-address="+h.free())}
	h.must(h.Run.Start())
	return probes, pages
}

// volume is a folder as the kubelet makes it for the pod's group.
func (h *house) volume(name string, files map[string]string) string {
	h.t.Helper()
	dir := filepath.Join(h.dir, "volumes.d", name)
	h.must(os.MkdirAll(dir, 0o755))
	h.must(os.Chown(dir, 0, user))
	h.must(os.Chmod(dir, 0o770|os.ModeSetgid))
	for file, text := range files {
		path := filepath.Join(dir, file)
		h.must(os.WriteFile(path, []byte(text), 0o440))
		h.must(os.Chown(path, 0, user))
	}
	return dir
}

func (h *house) pidfile() string { return filepath.Join(h.dir, "pid") }

// confined asks the kernel who the process is and what its root is.
func (h *house) confined() {
	h.t.Helper()
	text, err := os.ReadFile(h.pidfile())
	h.must(err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	h.must(err)
	proc := fmt.Sprintf("/proc/%d/", pid)
	status, err := os.ReadFile(proc + "status")
	h.must(err)
	id := strconv.Itoa(user)
	for _, want := range []string{"Uid:\t" + id + "\t" + id, "Gid:\t" + id + "\t" + id, "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1"} {
		if !strings.Contains(string(status), want) {
			h.t.Errorf("the process has no %q:\n%s", want, status)
		}
	}
	mounts, err := os.ReadFile(proc + "mountinfo")
	h.must(err)
	if line, _, _ := strings.Cut(string(mounts), "\n"); !strings.Contains(line, " / ro,") {
		h.t.Errorf("its root is mounted as: %s", line)
	}
}

func (h *house) free() string {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	h.must(err)
	defer l.Close()
	return l.Addr().String()
}

func answers(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return err
}
