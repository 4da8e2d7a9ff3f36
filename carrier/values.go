package carrier

const maxLines = 64 // values kept of one field, and pairs, when they have to be collected

// values are the values of one field. Two parts, so that a string map and a header map yield it without allocating.
type values struct {
	first string
	more  []string
}

func listed(list []string) values {
	if len(list) == 0 {
		return values{}
	}
	return values{list[0], list[1:]}
}

func (v *values) add(s string, most int) {
	switch {
	case v.first == "":
		v.first = s
	case s != "" && len(v.more) < most:
		v.more = append(v.more, s)
	}
}

func (v *values) some() bool { return v.first != "" || len(v.more) > 0 }

// size is the length of the values joined by commas.
func (v *values) size() int {
	n := len(v.first)
	for _, s := range v.more {
		n += 1 + len(s)
	}
	return n
}

// each yields the values that are not empty.
func (v *values) each(yield func(string) bool) {
	if v.first != "" && !yield(v.first) {
		return
	}
	for _, s := range v.more {
		if s != "" && !yield(s) {
			return
		}
	}
}
