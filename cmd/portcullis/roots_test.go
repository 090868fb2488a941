package main

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// TestAuthoritiesAreInTheCommand: in an image with nothing but the command, TLS
// hosts are still told from others.
func TestAuthoritiesAreInTheCommand(t *testing.T) {
	const inside = "PORTCULLIS_TEST_WITHOUT_AUTHORITIES"
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the system itself is asked about certificates")
	}
	if os.Getenv(inside) != "" {
		pool, err := x509.SystemCertPool()
		if err != nil || pool.Equal(x509.NewCertPool()) {
			t.Errorf("there are no authorities: %v", err)
		}
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^"+t.Name()+"$") // the system's are read once a process
	cmd.Env = append(os.Environ(), inside+"=1", "SSL_CERT_DIR="+dir, "SSL_CERT_FILE="+filepath.Join(dir, "none"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
