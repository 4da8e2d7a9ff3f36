package export

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	replyBytes = 64 << 10    // of an answer's header, and of its body
	replyTime  = time.Second // for the body, once the header is there
	dialTime   = 10 * time.Second
)

// PostConfig sets up a Poster.
type PostConfig struct {
	Remote
	URL         *url.URL // user and password in it are sent as basic authentication
	ContentType string
	Header      http.Header // wins over the rest
	TLS         *tls.Config
	Proxy       func(*http.Request) (*url.URL, error) // nil: that of the environment
	Gzip        bool
	Explain     func(body []byte) string // reads the reason in a 400's body; nil: not read
}

// Poster sends batches to one URL over a transport of its own: never traced, no redirect followed, answers read
// within bounds. Its methods are for one goroutine, but Close.
type Poster struct {
	PostConfig
	transport *http.Transport
	conns     conns
	zip       *gzip.Writer
	zipped    bytes.Buffer
}

// NewPoster opens no connection yet.
func NewPoster(c PostConfig) *Poster {
	p := &Poster{PostConfig: c, conns: conns{dialer: net.Dialer{Timeout: dialTime}}}
	p.Header = c.Header.Clone()
	if p.Header == nil {
		p.Header = http.Header{}
	}
	if c.Proxy == nil {
		c.Proxy = proxy
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
	if c.Gzip {
		p.Header.Set("Content-Encoding", "gzip")
		p.zip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed)
	}
	p.transport = &http.Transport{
		Proxy:                  c.Proxy,
		DialContext:            p.conns.dial,
		TLSClientConfig:        c.TLS.Clone(), // the transport writes to it
		TLSHandshakeTimeout:    dialTime,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConns:           2,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: replyBytes,
	}
	return p
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

// Post sends data and returns the start of the answer to a 2xx. Other answers, and none, are errors that name the
// status and the host: 408, 429, 5xx and broken connections as *RetryError.
func (p *Poster) Post(ctx context.Context, data []byte) (reply []byte, err error) {
	if p.zip != nil {
		data = p.compress(data)
	}
	body := &body{data: data}
	defer body.detach()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req := (&http.Request{
		Method: http.MethodPost, URL: p.URL, Host: p.Header.Get("Host"), Header: p.Header,
		Body: body.reader(), ContentLength: int64(len(data)),
		GetBody: func() (io.ReadCloser, error) { return body.reader(), nil },
	}).WithContext(ctx)
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		p.conns.cut(false)
		return nil, p.NoAnswer(err)
	}
	defer resp.Body.Close()
	defer time.AfterFunc(replyTime, cancel).Stop()
	if resp.StatusCode/100 != 2 {
		return nil, p.refused(resp)
	}
	reply, _ = io.ReadAll(io.LimitReader(resp.Body, replyBytes))
	return reply, nil
}

// compress fills the Poster's own buffer; writing to that cannot fail.
func (p *Poster) compress(data []byte) []byte {
	p.zipped.Reset()
	p.zip.Reset(&p.zipped)
	p.zip.Write(data)
	p.zip.Close()
	return p.zipped.Bytes()
}

func (p *Poster) refused(resp *http.Response) error {
	code := resp.StatusCode
	status := fmt.Sprintf("%d %s", code, http.StatusText(code))
	switch {
	case code/100 == 3:
		status += ", a redirect, which is not followed,"
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests, code/100 == 5:
		after := retryAfter(resp.Header.Get("Retry-After"), time.Now())
		return &RetryError{Err: p.Refused(status, ""), After: after}
	case code == http.StatusBadRequest && p.Explain != nil:
		reason, _ := io.ReadAll(io.LimitReader(resp.Body, replyBytes))
		return p.Refused(status, p.Explain(reason))
	}
	return p.Refused(status, "")
}

// retryAfter reads a Retry-After header: seconds or a date; 0 if it holds neither.
func retryAfter(value string, now time.Time) time.Duration {
	seconds, err := strconv.ParseInt(value, 10, 32)
	if err == nil || errors.Is(err, strconv.ErrRange) { // then it is the largest, or the smallest
		return max(time.Duration(seconds)*time.Second, 0)
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// Close drops all connections. It does not wait.
func (p *Poster) Close() {
	p.conns.cut(true)
	p.transport.CloseIdleConnections()
}
