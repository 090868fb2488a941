package policy_test

import "testing"

// The examples are what people copy from: both are free of faults, by
// themselves and together.
func TestExamples(t *testing.T) {
	t.Parallel()
	c := mustConfig(t, string(read(t, "../../examples/seed/config.yaml")))
	p := mustPolicy(t, string(read(t, "../../examples/seed/policy.yaml")))
	validated(t, c, p)
}
