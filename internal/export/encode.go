package export

import "github.com/spanloom/spanloom/internal/model"

// encode writes s into buf, trimmed if it does not fit a message alone. It is not ok if s does not fit even so, or if
// encoding panics.
func (p *Pipeline) encode(buf *[]byte, s *model.Span) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	*buf = p.sender.AppendSpan((*buf)[:0], s)
	if len(*buf) <= p.maxSpan {
		return true
	}
	*buf, ok = appendTrimmed((*buf)[:0], p.sender, s, p.maxSpan)
	return ok
}
