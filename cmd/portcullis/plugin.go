package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

const (
	// ownName is what the command is called by itself.
	ownName = "portcullis"
	// pluginName is what it is called as a plugin of kubectl, which takes a
	// program of the name kubectl-portcullis on PATH for its `portcullis`
	// (kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins).
	pluginName = "kubectl portcullis"
)

// invoked tells from a process's arguments as what the command is called, and
// with which arguments. The program that kubectl asks for completions is of
// another name, kubectl_complete-portcullis, and is given what stands after the
// plugin's name: a second link to the same file will do.
func invoked(argv []string) (name string, args []string) {
	if len(argv) == 0 {
		return ownName, nil
	}
	switch strings.TrimSuffix(filepath.Base(argv[0]), ".exe") {
	case "kubectl-portcullis":
		return pluginName, argv[1:]
	case "kubectl_complete-portcullis":
		return pluginName, append([]string{cobra.ShellCompRequestCmd}, argv[1:]...)
	}
	return ownName, argv[1:]
}
