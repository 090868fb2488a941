package document

import "strings"

// Nearest is the known word that the given one is most likely a misspelling
// of: at most a third of its letters differ.
func Nearest(word string, known []string) (string, bool) {
	best, least := "", len(word)/3+1
	word = strings.ToLower(word)
	for _, k := range known {
		if len(k)-len(word) >= least || len(word)-len(k) >= least {
			continue // by their lengths alone
		}
		if d := distance(word, strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best, best != ""
}

// distance is how many letters must be added, left out, changed or swapped with
// their neighbour (optimal string alignment), over bytes: what is compared is
// ASCII in all but odd cases, and then only the quality of a hint is at stake.
// Long words are not compared.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, above, row = above, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
