package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// The chart is of cost against the number of clusters, both on logarithmic
// scales: a line that rises with the fleet is a cost of the fleet, a level one a
// cost of the change.

// panel is one of its parts: a row of the table, and what it is called there.
type panel struct{ work, title, unit, against string }

var panels = [...]panel{
	{"unchanged, an interval: requests to the API server", "Nothing changed, an interval", "requests to Git and to the API server", "Flux's engine"},
	{"unchanged, an interval: processor time", "Nothing changed, an interval", "seconds of processor time", "Flux's engine"},
	{"one file changed: wake-up to applied", "One file changed", "seconds from the wake-up until it is applied", "Flux's engine"},
}

// point is a cost at a number of clusters.
type point struct{ n, cost float64 }

// lines are a panel's costs, ours and the reference's.
type lines struct{ ours, reference []point }

// linesOf takes them from the rows. A poll is one request to Git, so ours is
// one more than what the API server is asked.
func linesOf(p panel, tables []*table) (l lines) {
	for _, t := range tables {
		for _, r := range t.rows {
			if r.Work != p.work || r.Against != p.against {
				continue
			}
			git := 0.
			if r.Unit == "requests" {
				git = 1
			}
			l.ours = append(l.ours, point{float64(t.n), *r.Ours + git})
			l.reference = append(l.reference, point{float64(t.n), *r.Reference + git})
		}
	}
	return l
}

const (
	panelWidth, panelHeight = 360., 300.
	plotLeft, plotRight     = 60., 340.
	plotTop, plotBottom     = 50., 250.
)

// axis is a logarithmic scale, over whole powers of ten.
type axis struct{ from, to float64 } // exponents

func axisOf(values []float64) axis {
	a := axis{math.Inf(1), math.Inf(-1)}
	for _, v := range values {
		if v > 0 {
			a.from, a.to = min(a.from, math.Floor(math.Log10(v))), max(a.to, math.Ceil(math.Log10(v)))
		}
	}
	if a.from >= a.to {
		a.to = a.from + 1
	}
	return a
}

// at is where a value is, from 0 to 1. What is no more than nothing is at the
// lower end.
func (a axis) at(v float64) float64 {
	if v <= 0 {
		return 0
	}
	return min(1, max(0, (math.Log10(v)-a.from)/(a.to-a.from)))
}

// draw is the chart as SVG.
func draw(tables []*table) string {
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" font-family="sans-serif" font-size="11">`+"\n",
		panelWidth*float64(len(panels)), panelHeight)
	fmt.Fprintln(&out, `<rect width="100%" height="100%" fill="#fff"/>`)
	for i, p := range panels {
		fmt.Fprintf(&out, `<g transform="translate(%g 0)">`+"\n", panelWidth*float64(i))
		drawPanel(&out, p, linesOf(p, tables))
		fmt.Fprintln(&out, "</g>")
	}
	fmt.Fprintln(&out, "</svg>")
	return out.String()
}

func drawPanel(out *strings.Builder, p panel, l lines) {
	fmt.Fprintf(out, `<text x="%g" y="20" font-size="12" font-weight="bold">%s</text><text x="%g" y="36">%s</text>`+"\n", plotLeft, p.title, plotLeft, p.unit)
	var ns, costs []float64
	for _, pt := range append(append([]point{}, l.ours...), l.reference...) {
		ns, costs = append(ns, pt.n), append(costs, pt.cost)
	}
	if len(ns) == 0 {
		return
	}
	x, y := axisOf(ns), axisOf(costs)
	drawAxes(out, x, y)
	drawLine(out, x, y, l.reference, "#c2410c", p.against)
	drawLine(out, x, y, l.ours, "#1d4ed8", "portcullis")
}

func drawAxes(out *strings.Builder, x, y axis) {
	for e := x.from; e <= x.to; e++ {
		at := across(x, math.Pow(10, e))
		fmt.Fprintf(out, `<path d="M%.1f %gV%g" stroke="#ddd"/><text x="%.1f" y="%g" text-anchor="middle">%g</text>`+"\n",
			at, plotTop, plotBottom, at, plotBottom+16, math.Pow(10, e))
	}
	for e := y.from; e <= y.to; e++ {
		at := up(y, math.Pow(10, e))
		fmt.Fprintf(out, `<path d="M%g %.1fH%g" stroke="#ddd"/><text x="%g" y="%.1f" text-anchor="end">%g</text>`+"\n",
			plotLeft, at, plotRight, plotLeft-6, at+4, math.Pow(10, e))
	}
	fmt.Fprintf(out, `<text x="%g" y="%g" text-anchor="middle">clusters</text>`+"\n", (plotLeft+plotRight)/2, plotBottom+34)
}

func drawLine(out *strings.Builder, x, y axis, points []point, colour, name string) {
	var path []string
	for _, p := range points {
		path = append(path, fmt.Sprintf("%.1f,%.1f", across(x, p.n), up(y, p.cost)))
		fmt.Fprintf(out, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s, %g clusters: %s</title></circle>`+"\n",
			across(x, p.n), up(y, p.cost), colour, name, p.n, number(&p.cost))
	}
	last := points[len(points)-1]
	fmt.Fprintf(out, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(path, " "), colour)
	fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor="end" fill="%s">%s</text>`+"\n", across(x, last.n), up(y, last.cost)-8, colour, name)
}

func across(x axis, v float64) float64 { return plotLeft + x.at(v)*(plotRight-plotLeft) }
func up(y axis, v float64) float64     { return plotBottom - y.at(v)*(plotBottom-plotTop) }

func drawTo(path string, tables []*table) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(draw(tables)), 0o644)
}
