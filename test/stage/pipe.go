package stage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Pipe is a way to a server that can be cut, whatever is spoken on it: then
// connections are refused. Or it holds back what is sent either way, and those
// who use it wait.
type Pipe struct {
	// Address is its host and port, which do not change.
	Address string

	target string

	mu       sync.Mutex
	listener net.Listener // nil while cut
	open     map[net.Conn]bool
	held     bool
	flows    map[*flow]bool
}

// NewPipe makes a whole pipe to a host and port.
func NewPipe(target string) (*Pipe, error) {
	p := &Pipe{target: target, open: map[net.Conn]bool{}, flows: map[*flow]bool{}}
	return p, p.listen("127.0.0.1:0")
}

func (p *Pipe) listen(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("open a pipe on %s: %w", address, err)
	}
	p.mu.Lock()
	p.Address, p.listener = listener.Addr().String(), listener
	p.mu.Unlock()
	go p.accept(listener)
	return nil
}

func (p *Pipe) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return // it was cut
		}
		go p.join(listener, conn)
	}
}

// join copies both ways until either side ends.
func (p *Pipe) join(listener net.Listener, near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer far.Close()
	if !p.note(listener, near) {
		return
	}
	defer p.forget(near)
	ended := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			p.run(pair[0], pair[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}

// note keeps a connection to be cut, unless that happened meanwhile.
func (p *Pipe) note(listener net.Listener, conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != listener {
		return false
	}
	p.open[conn] = true
	return true
}

func (p *Pipe) forget(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

// Cut closes the port and all that goes through it. It may be called again.
func (p *Pipe) Cut() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		return nil
	}
	err := p.listener.Close()
	p.listener = nil
	for conn := range p.open {
		conn.Close()
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("cut the pipe %s: %w", p.Address, err)
	}
	return nil
}

// Mend listens on the same port again. Somebody else may have it for a moment,
// for an outgoing connection.
func (p *Pipe) Mend(ctx context.Context) error {
	return Await(ctx, "the pipe's port", time.Minute, func(context.Context) error { return p.listen(p.Address) })
}
