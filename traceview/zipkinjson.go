package traceview

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// zipkinSpan is a span of https://zipkin.io/zipkin-api/#/default/post_spans.
type zipkinSpan struct {
	TraceID        string                `json:"traceId"`
	ID             string                `json:"id"`
	ParentID       string                `json:"parentId"`
	Name           string                `json:"name"`
	Kind           string                `json:"kind"`
	Timestamp      json.Number           `json:"timestamp"`
	Duration       json.Number           `json:"duration"`
	Debug          bool                  `json:"debug"`
	LocalEndpoint  zipkinEndpoint        `json:"localEndpoint"`
	RemoteEndpoint zipkinEndpoint        `json:"remoteEndpoint"`
	Tags           map[string]zipkinText `json:"tags"`
	Annotations    []struct {
		Timestamp json.Number `json:"timestamp"`
		Value     string      `json:"value"`
	} `json:"annotations"`
}

type zipkinEndpoint struct {
	ServiceName string     `json:"serviceName"`
	IPv4        string     `json:"ipv4"`
	IPv6        string     `json:"ipv6"`
	Port        zipkinText `json:"port"`
}

// zipkinText is a text that some clients write as another value. One of them must not cost the other spans of a list.
type zipkinText string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *zipkinText) UnmarshalJSON(value []byte) error {
	var s string
	if json.Unmarshal(value, &s) != nil {
		s = string(value)
	}
	*t = zipkinText(s) // null is ""
	return nil
}

func decodeZipkinJSON(body []byte) ([]model.Batch, error) {
	var list []zipkinSpan
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, unreadable("list of Zipkin's spans", err)
	}
	if len(list) > decodeLimits.Spans {
		return nil, model.ErrTooLarge
	}
	var batches []model.Batch
	of := map[string]int{} // batches by service
	for i := range list {
		s, err := list[i].span()
		if err != nil {
			return nil, err
		}
		service := name(list[i].LocalEndpoint.ServiceName)
		k, known := of[service]
		if !known {
			k = len(batches)
			of[service] = k
			batches = append(batches, model.Batch{Process: model.Process{Service: service}})
		}
		batches[k].Spans = append(batches[k].Spans, s)
	}
	return batches, nil
}

func (z *zipkinSpan) span() (model.Span, error) {
	trace, ok := parseTraceID(z.TraceID)
	id, err := parseHex(z.ID)
	if !ok || err != nil || id == 0 {
		return model.Span{}, fmt.Errorf("a span of Zipkin has the traceId %.40q and the id %.40q", z.TraceID, z.ID)
	}
	start, err := micros(z.Timestamp)
	if err != nil {
		return model.Span{}, fmt.Errorf("timestamp of span %s: %w", z.ID, err)
	}
	took, err := micros(z.Duration)
	if err != nil {
		return model.Span{}, fmt.Errorf("duration of span %s: %w", z.ID, err)
	}
	s := model.Span{TraceID: trace, SpanID: id, Flags: 1, Name: z.Name, Start: time.UnixMicro(start),
		Duration: time.Duration(min(max(took, 0), 1<<50)) * time.Microsecond}
	if z.Debug {
		s.Flags |= 2
	}
	s.ParentID, _ = parseHex(z.ParentID)
	s.Tags = z.tags()
	for _, a := range z.Annotations[:min(len(z.Annotations), limits.Logs)] {
		at, _ := micros(a.Timestamp)
		s.Logs = append(s.Logs, model.Log{Time: time.UnixMicro(at), Fields: []model.Tag{stringTag("event", a.Value)}})
	}
	return s, nil
}

// tags are Zipkin's tags, of which error means a failed span whatever its value, its kind and its remote endpoint.
func (z *zipkinSpan) tags() (tags []model.Tag) {
	for key, text := range z.Tags {
		if len(tags) >= limits.Tags {
			break
		}
		value := string(text)
		if key != semconv.KeyError {
			tags = append(tags, stringTag(key, value))
			continue
		}
		tags = append(tags, model.Tag{Key: key, Value: model.Bool(value != "false")})
		if value != "" && value != "true" && value != "false" {
			tags = append(tags, stringTag("error.message", value))
		}
	}
	if z.Kind != "" {
		tags = append(tags, stringTag(semconv.KeySpanKind, strings.ToLower(z.Kind)))
	}
	peer := z.RemoteEndpoint
	for key, value := range map[string]string{
		"peer.service": peer.ServiceName, "peer.ipv4": peer.IPv4, "peer.ipv6": peer.IPv6,
	} {
		if value != "" {
			tags = append(tags, stringTag(key, value))
		}
	}
	if peer.Port != "" && peer.Port != "0" {
		tags = append(tags, stringTag("peer.port", string(peer.Port)))
	}
	return tags
}

func stringTag(key, value string) model.Tag {
	return model.Tag{Key: name(key), Value: model.String(model.Cut(value, limits.ValueBytes))}
}
