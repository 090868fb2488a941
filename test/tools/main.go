// Command tools builds the servers that tests and the demo run, from the
// modules pinned in the folders beside it, and says where they are.
//
//	go run ./test/tools                     staticcheck, helm, etcd, kube-apiserver, gitea
//	go run ./test/tools etcd kube-apiserver only these
//	go run ./test/tools -kept gitea         link it if it is built already, and build nothing
//	go run ./test/tools -control-plane      find or build an API server, print its folder
//
// A built program is kept in the user's cache folder under a key made of all
// that goes into it, so a fresh clone on the same machine builds nothing
// again:
//
//	<cache>/portcullis/tools/<name>-<version>-<key>/<name>
//
// and .tools/bin/<name> of this work tree links to it. What happens is told on
// standard error; standard output carries nothing but the folder that
// -control-plane prints.
//
// -control-plane takes the first of these that there is: the folder named by
// KUBEBUILDER_ASSETS; what is built already; the download of setup-envtest;
// the build from source.
//
// Exit: 0 done; 1 a build or a download failed; 2 a name or a flag it does not
// know.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errUsage marks what the caller got wrong.
var errUsage = errors.New("usage")

// run is the command without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := dispatch(ctx, args, stdout, stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintln(stderr, "tools:", err)
		return 2
	default:
		fmt.Fprintln(stderr, "tools:", err)
		return 1
	}
}

func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("tools", flag.ContinueOnError)
	flags.SetOutput(stderr)
	controlPlane := flags.Bool("control-plane", false, "find or build etcd and kube-apiserver, and print their folder")
	kept := flags.Bool("kept", false, "link what is built already, and build nothing")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	shop, err := openShop(stderr)
	if err != nil {
		return err
	}
	if *controlPlane {
		return printControlPlane(ctx, shop, stdout)
	}
	wanted, err := choose(all(), flags.Args())
	if err != nil {
		return err
	}
	if *kept {
		return shop.linkKept(ctx, wanted)
	}
	return shop.makeAll(ctx, wanted)
}

func printControlPlane(ctx context.Context, s *shop, stdout io.Writer) error {
	folder, err := s.controlPlane(ctx, os.Getenv("KUBEBUILDER_ASSETS"), s.setupEnvtest)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, folder)
	return err
}

// openShop finds the work tree above the working directory and the user's
// cache folder.
func openShop(log io.Writer) (*shop, error) {
	root, err := workTree()
	if err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the cache folder of the user: %w", err)
	}
	return &shop{
		modules: filepath.Join(root, "test", "tools"),
		bin:     filepath.Join(root, ".tools", "bin"),
		cache:   filepath.Join(cache, "portcullis", "tools"),
		log:     log,
	}, nil
}

// workTree is the nearest folder at or above the working directory that has
// this program's modules in it.
func workTree() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the working directory: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "test", "tools", "etcd", "go.mod")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no test/tools at or above %s: call it from the work tree", dir)
		}
	}
}

// choose picks tools by name, all of them for no name.
func choose(tools []tool, names []string) ([]tool, error) {
	if len(names) == 0 {
		return tools, nil
	}
	var chosen []tool
	for _, name := range names {
		found := false
		for _, t := range tools {
			if t.name == name {
				chosen, found = append(chosen, t), true
			}
		}
		if !found {
			return nil, fmt.Errorf("%w: no tool %q; there are %s", errUsage, name, strings.Join(namesOf(tools), ", "))
		}
	}
	return chosen, nil
}
