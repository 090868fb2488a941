//go:build tools

// Package tools pins the Gitea that tests run.
package tools

import _ "code.gitea.io/gitea"
