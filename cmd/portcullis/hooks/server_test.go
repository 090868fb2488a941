package hooks_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/hooks"
)

// pair writes a certificate with a serial number of its own, and its key.
func pair(t *testing.T, serial int64, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

// TestCertificateIsReadAnew: one that is replaced counts for the next
// connection, one that is broken for none, and old TLS is not spoken.
func TestCertificateIsReadAnew(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	pair(t, 1, certFile, keyFile)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- hooks.Serve(ctx, address, http.NotFoundHandler(), certFile, keyFile) }()

	serial := func(config *tls.Config) int64 {
		config.InsecureSkipVerify = true // which certificate it is, is what is asked
		conn, err := tls.Dial("tcp", address, config)
		if err != nil {
			return 0
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	until := time.Now().Add(time.Minute)
	for serial(&tls.Config{}) != 1 {
		if time.Now().After(until) {
			t.Fatal("nobody answers with the certificate in a minute")
		}
		time.Sleep(5 * time.Millisecond)
	}
	pair(t, 2, certFile, keyFile)
	if got := serial(&tls.Config{}); got != 2 {
		t.Errorf("certificate %d after it was replaced", got)
	}
	if got := serial(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); got != 0 {
		t.Error("TLS 1.1 is spoken")
	}
	write(t, keyFile, "no key")
	if got := serial(&tls.Config{}); got != 0 {
		t.Errorf("certificate %d with a broken key", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}
