package export

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/spanloom/spanloom/internal/quiet"
)

const (
	replyBytes = 64 << 10    // of an answer's header, and of its body
	replyTime  = time.Second // for the body, once the header is there
	dialTime   = 10 * time.Second
)

// PostConfig sets up a [Poster].
type PostConfig struct {
	Remote
	URL         *url.URL // user and password in it are sent as basic authentication
	ContentType string
	Header      http.Header // wins over the rest
	Token       TokenSource // nil: none; wins over an Authorization in Header
	TLS         *tls.Config
	TLSFiles    *TLSFiles // nil: none; wins over TLS
	Logger      *slog.Logger
	Proxy       func(*http.Request) (*url.URL, error) // nil: that of the environment
	Gzip        Gzip
	Retry       func(code int) bool      // reports whether a status of the protocol may pass
	Suspect     bool                     // a 5xx may be due to the batch
	Explain     func(body []byte) string // reads the reason in a refusal's body, "" if it has another format; may be nil
	GRPCHint    string                   // what to do if the port turns out to be one of gRPC
}

// Poster sends batches to one URL over a transport of its own: never traced, no redirect followed, answers read
// within bounds. Its methods are for one goroutine.
type Poster struct {
	PostConfig
	tokens    *Tokens
	transport *http.Transport
	conns     *conns
	zip       zipper
	answered  bool // there was an answer in HTTP
}

// NewPoster opens no connection yet.
func NewPoster(c PostConfig) *Poster {
	p := &Poster{PostConfig: c, tokens: NewTokens(c.Token), zip: zipper{mode: c.Gzip, on: c.Gzip != GzipNever}}
	p.Header = c.Header.Clone()
	if p.Header == nil {
		p.Header = http.Header{}
	}
	if c.Proxy == nil {
		p.Proxy = proxy
	}
	target := *c.URL
	p.URL = &target
	p.URL.User = nil
	setDefault(p.Header, "Content-Type", c.ContentType)
	setDefault(p.Header, "User-Agent", "spanloom")
	if c.URL.User != nil && p.Header.Get("Authorization") == "" {
		password, _ := c.URL.User.Password()
		r := http.Request{Header: p.Header}
		r.SetBasicAuth(c.URL.User.Username(), password)
	}
	p.Redactor.Add(p.Header.Get("Authorization"))
	probe := (&http.Request{URL: p.URL}).WithContext(quiet.Context(context.Background()))
	if u, _ := p.Proxy(probe); u != nil {
		p.Redactor.AddURL(u, u.Path)
	}
	p.connect()
	return p
}

// connect replaces the transport and drops its connections.
func (p *Poster) connect() {
	p.disconnect()
	config, conns := p.TLS, &conns{dialer: net.Dialer{Timeout: dialTime}}
	if p.TLSFiles != nil {
		config = p.TLSFiles.Config()
	}
	p.conns = conns
	r := &route{conns, p.URL, p.Proxy, config}
	p.transport = &http.Transport{
		Proxy:                  r.transportProxy,
		DialContext:            r.dial,
		DialTLSContext:         r.dialTLS,
		TLSClientConfig:        config.Clone(), // for https through SOCKS; the transport writes to it
		TLSHandshakeTimeout:    dialTime,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConns:           2,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: replyBytes,
	}
}

func (p *Poster) disconnect() {
	if p.transport != nil {
		p.conns.close()
		p.transport.CloseIdleConnections()
	}
}

// proxy is the environment's; the error about a malformed one would show its password.
func proxy(r *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(r)
	if err != nil {
		return nil, errors.New("the proxy that the environment names is malformed")
	}
	return u, nil
}

func setDefault(h http.Header, key, value string) {
	if h.Get(key) == "" {
		h.Set(key, value)
	}
}

// Post sends data and returns the start of the answer to a batch that was taken. If compression that is on by default
// is refused, data goes once more as it is. After a 401, a [TokenSource] is called for another token, once.
func (p *Poster) Post(ctx context.Context, data []byte) (reply []byte, err error) {
	if p.TLSFiles != nil && p.TLSFiles.Renew(p.Logger) {
		p.connect()
	}
	zipped := p.zip.next()
	a := p.authorized(ctx, data, zipped)
	if zipped && p.zip.retryPlain(a.code) {
		if plain := p.authorized(ctx, data, false); plain.err == nil {
			p.zip.on = false
			return plain.reply, nil
		}
	}
	p.zip.note(zipped, a)
	if a.code == http.StatusTooManyRequests || a.code == http.StatusServiceUnavailable {
		p.connect() // another instance may answer the next connection
	}
	return a.reply, a.err
}

func (p *Poster) authorized(ctx context.Context, data []byte, zipped bool) answer {
	a := p.exchange(ctx, data, zipped)
	if a.code == http.StatusUnauthorized && p.tokens != nil {
		a = p.exchange(ctx, data, zipped)
	}
	return a
}

// exchange sends one request and reads its answer.
func (p *Poster) exchange(ctx context.Context, data []byte, zipped bool) answer {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	header, err := p.header(ctx, zipped)
	if err != nil {
		return answer{err: p.NoAnswer(err, "")}
	}
	if zipped {
		data = p.zip.compress(data)
	}
	body := &body{data: data}
	defer body.detach()
	req := (&http.Request{
		Method: http.MethodPost, URL: p.URL, Host: header.Get("Host"), Header: header,
		Body: body.reader(), ContentLength: int64(len(data)),
		GetBody: func() (io.ReadCloser, error) { return body.reader(), nil },
	}).WithContext(ctx)
	conns := p.conns
	conns.begin()
	defer conns.end()
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		err = conns.cause(err)
		p.connect()
		failure := p.NoAnswer(err, p.hint(err))
		failure.Others = !isDial(err) // a receiver may crash on a batch, or need too long for it
		return answer{err: failure, broken: isBroken(err)}
	}
	p.answered = true
	defer resp.Body.Close()
	defer time.AfterFunc(replyTime, cancel).Stop()
	return p.read(resp)
}

// isBroken reports whether the backend ended the connection.
func isBroken(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// isDial reports whether there was no connection.
func isDial(err error) bool {
	var e *net.OpError
	return errors.As(err, &e) && e.Op == "dial"
}

// header returns the header of one request.
func (p *Poster) header(ctx context.Context, zipped bool) (http.Header, error) {
	if p.tokens == nil && !zipped {
		return p.Header, nil
	}
	h := maps.Clone(p.Header)
	if zipped {
		h.Set("Content-Encoding", "gzip")
	}
	if p.tokens != nil {
		token, err := p.tokens.Token(ctx)
		if err != nil {
			return nil, err
		}
		p.Redactor.AddRecent(token)
		h.Set("Authorization", "Bearer "+token)
	}
	return h, nil
}

// Close drops all connections. It does not wait.
func (p *Poster) Close() { p.disconnect() }
