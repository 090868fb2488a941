package stage

import "net"

// flow is what goes one way through a connection of a Pipe.
type flow struct {
	to   net.Conn
	kept []byte // while the pipe holds
}

// run passes on what comes from one side until that ends. What is held by then
// is lost, as it is in a network whose ends have given each other up.
func (p *Pipe) run(to, from net.Conn) {
	f := &flow{to: to}
	p.mu.Lock()
	p.flows[f] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.flows, f)
		p.mu.Unlock()
	}()
	for buffer := make([]byte, 32<<10); ; {
		n, err := from.Read(buffer)
		if n > 0 && !p.keep(f, buffer[:n]) {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// keep holds bytes back, where the pipe holds.
func (p *Pipe) keep(f *flow, b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held {
		f.kept = append(f.kept, b...)
	}
	return p.held
}

// Hold lets nothing through from now on, and answers nothing.
func (p *Pipe) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = true
}

// Let passes on what was held, of connections that both ends have kept open,
// and what comes after.
func (p *Pipe) Let() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = false
	for f := range p.flows {
		_, _ = f.to.Write(f.kept) // a side that has gone is noticed by run
		f.kept = nil
	}
}
