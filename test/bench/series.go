package main

// series are what was measured several times, by what it was.
type series map[string][]float64

func (s series) add(what string, value float64) { s[what] = append(s[what], value) }

// median is nil of what was not measured.
func (s series) median(what string) *float64 {
	if len(s[what]) == 0 {
		return nil
	}
	m := median(s[what])
	return &m
}

// pass adds all that is known of a pass.
func (s series) pass(what string, p pass) {
	s.add(what+" seconds", p.seconds)
	s.add(what+" processor", p.processor)
	s.add(what+" servers", p.servers)
	s.add(what+" requests", float64(p.requests))
}

// per is how many of n a second there were, of each time that they took.
func per(n int, seconds []float64) []float64 {
	var out []float64
	for _, s := range seconds {
		out = append(out, float64(n)/s)
	}
	return out
}

// times is each value so many times.
func times(factor float64, values []float64) []float64 {
	var out []float64
	for _, v := range values {
		out = append(out, v*factor)
	}
	return out
}
