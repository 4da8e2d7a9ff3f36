package traceview

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// apiFilter reads the parameters of Jaeger's trace search.
func (v *View) apiFilter(q url.Values) (f filter, limit int, err error) {
	f.service, f.operation = q.Get("service"), q.Get("operation")
	if f.service == "" {
		return f, 0, errNoService
	}
	if f.until, err = apiTime(q, "end", time.Microsecond, time.Time{}); err != nil {
		return f, 0, err
	}
	lookback, err := apiDuration(q, "lookback")
	if err != nil {
		return f, 0, err
	}
	if lookback == 0 {
		lookback = apiLookback
	}
	if f.from, err = apiTime(q, "start", time.Microsecond, v.now().Add(-lookback)); err != nil {
		return f, 0, err
	}
	if f.minSpan, err = apiDuration(q, "minDuration"); err != nil {
		return f, 0, err
	}
	if f.maxSpan, err = apiDuration(q, "maxDuration"); err != nil {
		return f, 0, err
	}
	if f.maxSpan != 0 && f.maxSpan < f.minSpan {
		return f, 0, errors.New("'maxDuration' should be greater than 'minDuration'")
	}
	if f.tags, err = apiTags(q); err != nil {
		return f, 0, err
	}
	limit = apiLimit
	if s := q.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 0 {
			return f, 0, badParam("limit", s)
		}
	}
	return f, max(limit, 1), nil
}

func badParam(name, value string) error {
	return fmt.Errorf("unable to parse param '%s': %q", name, value)
}

func apiTags(q url.Values) (tags []tagFilter, err error) {
	for _, s := range q["tag"] {
		key, value, ok := strings.Cut(s, ":")
		if !ok {
			return nil, fmt.Errorf("malformed 'tag' parameter, expecting key:value, received: %s", s)
		}
		tags = append(tags, tagFilter{key: key, value: value})
	}
	for _, s := range q["tags"] {
		var pairs map[string]string
		if err := json.Unmarshal([]byte(s), &pairs); err != nil {
			return nil, fmt.Errorf("malformed 'tags' parameter, cannot unmarshal JSON: %w", err)
		}
		for key, value := range pairs {
			tags = append(tags, tagFilter{key: key, value: value})
		}
	}
	return tags, nil
}

func apiTime(q url.Values, name string, unit time.Duration, otherwise time.Time) (time.Time, error) {
	s := q.Get(name)
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return otherwise, badParam(name, s)
	}
	if unit == time.Millisecond {
		return time.UnixMilli(n), nil
	}
	return time.UnixMicro(n), nil
}

func apiMillis(q url.Values, name string, otherwise time.Duration) (time.Duration, error) {
	s := q.Get(name)
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > int64(1<<62/time.Millisecond) {
		return 0, badParam(name, s)
	}
	return time.Duration(n) * time.Millisecond, nil
}

// apiDuration reads "20ms"; Jaeger's UI also sends days, and "custom" beside a start.
func apiDuration(q url.Values, name string) (time.Duration, error) {
	s := q.Get(name)
	if s == "" || name == "lookback" && s == "custom" {
		return 0, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 10_000 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, badParam(name, s)
	}
	return d, nil
}
