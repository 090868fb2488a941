package forge

// InOrder posts one check after the other and answers one error for each. post
// answers an outage, which may be its error again, where the host as a whole
// is in trouble: the checks that follow are then not sent, and fail alike.
func InOrder(checks []Check, outage error, post func(Check) (err, outage error)) []error {
	errs := make([]error, len(checks))
	for i, c := range checks {
		if outage == nil {
			errs[i], outage = post(c)
			continue
		}
		errs[i] = outage
	}
	return errs
}
