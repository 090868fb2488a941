package source

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// maxPack bounds one transfer, in bytes. Ten thousand files of ten thousand
// commits are a few megabytes.
const maxPack = 2 << 30

// transfer asks for the objects that lead from haves to wants and returns the
// pack. The caller closes it.
func (l *link) transfer(adv *packp.AdvRefs, wants, haves []plumbing.Hash) (io.ReadCloser, error) {
	return l.transferThrough(adv, wants, haves, asItIs)
}

// transferThrough has all that is sent, progress messages too, read through
// the given reader.
func (l *link) transferThrough(adv *packp.AdvRefs, wants, haves []plumbing.Hash, through func(io.Reader) io.Reader) (io.ReadCloser, error) {
	req, err := request(adv, wants, haves, l.multiAck)
	if err != nil {
		return nil, err
	}
	answer, err := l.fetch(req)
	if errors.Is(err, transport.ErrEmptyUploadPackRequest) {
		return nil, fmt.Errorf("%w: it sent nothing for %s", ErrUnavailable, wants[0])
	}
	if err != nil {
		return nil, err
	}
	return limited{io.LimitReader(demultiplexed(req, through(answer)), maxPack+1), answer}, nil
}

// demultiplexed leaves out the server's progress messages.
func demultiplexed(req *packp.UploadPackRequest, answer io.Reader) io.Reader {
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, answer)
	case req.Capabilities.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, answer)
	}
	return answer
}

// spool takes a whole pack to disk before anything is made of it, so that a
// transfer that breaks off leaves nothing. The caller discards the file.
func spool(pack io.Reader, dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "tmp_pack_")
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(f, pack)
	if err == nil && n > maxPack {
		err = fmt.Errorf("%w: a transfer of more than %d bytes", ErrTooLarge, int64(maxPack))
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		discard(f)
		return nil, err
	}
	return f, nil
}

func discard(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name())
}
