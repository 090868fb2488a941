package apply

// mailbox wakes one reader: it holds one signal, and further ones until that
// is taken are the same. Nobody waits to put one in.
type mailbox chan struct{}

func newMailbox() mailbox { return make(mailbox, 1) }

func (m mailbox) signal() {
	select {
	case m <- struct{}{}:
	default:
	}
}
