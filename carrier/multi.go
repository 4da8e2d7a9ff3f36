package carrier

import "strings"

// Multi is a carrier with several values for a key and keys in lower case: gRPC metadata (metadata.MD converts to
// it), the headers of a message. It is an opentracing.TextMapReader and, if not nil, a TextMapWriter.
type Multi map[string][]string

// Set replaces the values of key, which it turns to lower case.
func (m Multi) Set(key, val string) { m[strings.ToLower(key)] = []string{val} }

// ForeachKey calls handler for every value of every key and stops at its first error.
func (m Multi) ForeachKey(handler func(key, val string) error) error {
	for k, vs := range m {
		for _, v := range vs {
			if err := handler(k, v); err != nil {
				return err
			}
		}
	}
	return nil
}
