// Package policy reads the provider's half of the files: a seed's Config,
// which holds connections, and the installation's Policy, which holds what
// tenants may do.
//
// Each kind is there twice. ConfigDocument and PolicyDocument are the files as
// written, with the place of every value; their tags and comments are what the
// schema and the reference are made from. Config and Policy are plain values
// with the defaults filled in, and what the rest of the program uses.
//
//	config, problems := policy.ParseConfig(content)
//	config.Resolve(filepath.Dir(path))      // names of files become absolute
//	pol, more := policy.ParsePolicy(other, lint.Changeable)
//	policy.Validate(config, pol)            // what only both together can tell
//
// Everything that is wrong with a file is found at once, before anything is
// contacted. Each problem has the rule invalid-config, stands at the offending
// value and says what belongs there. Parsing depends on the bytes alone: no
// file that a Config names is opened, no clock is read.
//
// No value of a Config is a secret. Secrets are in files of their own, and an
// address that holds a password is refused without being repeated.
package policy
