package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts in testdata say what the command does, one file a topic. They
// run the real command, as a process of its own.

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"portcullis": main, "kubectl-portcullis": main, "kubectl_complete-portcullis": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "findings": findings, "keys": keys, "bytes": write, "large": large, "expand": expand, "untouched": untouched,
		},
	})
}

// listening is under what a script finds how often somebody called.
type listening struct{}

// setup gives each script a host as $HOST that counts who calls, and does not
// help.
func setup(env *testscript.Env) error {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		return err
	}
	calls := &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusForbidden)
	}))
	env.Defer(server.Close)
	env.Values[listening{}] = calls
	env.Setenv("HOST", server.Listener.Addr().String())
	env.Setenv("EXAMPLES", examples)
	return nil
}

// exits N COMMAND ARG...: the command ends with that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		code = exit.ExitCode()
	}
	if want := args[0]; strconv.Itoa(code) != want {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

// findings FILE [SEVERITY]: the document on stdout holds these findings and no
// others, of that severity, each as path:line:column severity rule.
func findings(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: findings FILE [SEVERITY]")
	}
	var doc struct {
		Findings []struct {
			Path, Severity, Rule, Message string
			Line, Column                  int
		} `json:"findings"`
	}
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc); err != nil {
		ts.Fatalf("stdout is no JSON document: %v", err)
	}
	var got strings.Builder
	for _, f := range doc.Findings {
		if f.Message == "" {
			ts.Fatalf("%s:%d:%d %s says nothing", f.Path, f.Line, f.Column, f.Rule)
		}
		if len(args) == 2 && f.Severity != args[1] {
			continue
		}
		fmt.Fprintf(&got, "%s:%d:%d %s %s\n", f.Path, f.Line, f.Column, f.Severity, f.Rule)
	}
	if want := ts.ReadFile(args[0]); got.String() != want {
		ts.Fatalf("findings:\n%swant:\n%s", got.String(), want)
	}
}

// keys FILE: the document on stdout has these keys, in this order, one object
// a line, as they come.
func keys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keys FILE")
	}
	got, err := objects(ts.ReadFile("stdout"))
	if err != nil {
		ts.Fatalf("stdout is no JSON document: %v", err)
	}
	if want := ts.ReadFile(args[0]); got != want {
		ts.Fatalf("keys:\n%swant:\n%s", got, want)
	}
}

// objects are the keys of a document's objects, a line each.
func objects(doc string) (string, error) {
	d := json.NewDecoder(strings.NewReader(doc))
	var out strings.Builder
	if err := keysOf(d, &out); err != nil {
		return "", err
	}
	return out.String(), nil
}

func keysOf(d *json.Decoder, out *strings.Builder) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	var names []string
	var below strings.Builder
	for open := token; (open == json.Delim('{') || open == json.Delim('[')) && d.More(); {
		if open == json.Delim('{') {
			name, err := d.Token()
			if err != nil {
				return err
			}
			names = append(names, name.(string))
		}
		if err := keysOf(d, &below); err != nil {
			return err
		}
	}
	if token == json.Delim('{') {
		out.WriteString(strings.Join(names, " ") + "\n")
	}
	out.WriteString(below.String())
	if token == json.Delim('{') || token == json.Delim('[') {
		_, err = d.Token()
	}
	return err
}

// bytes FILE QUOTED: a file of exactly these bytes, quoted as in Go.
func write(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: bytes FILE QUOTED")
	}
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// large FILE SIZE: a comment of so many bytes.
func large(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: large FILE SIZE")
	}
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("#"+strings.Repeat("a", size-1)), 0o600))
}

// expand FILE...: puts the environment's values in place of $NAME.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: expand FILE...")
	}
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// untouched: nobody called $HOST so far.
func untouched(ts *testscript.TestScript, neg bool, args []string) {
	calls := ts.Value(listening{}).(*atomic.Int64).Load()
	if called := calls > 0; called != neg {
		ts.Fatalf("$HOST was called %d times", calls)
	}
}
