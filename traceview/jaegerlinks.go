package traceview

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// jaegerSearch leads from the address of a search in Jaeger's UI, as tutorials, bookmarks and other tools have it, to
// the same search of [View]. Addresses of traces are alike in both.
func (v *View) jaegerSearch(w http.ResponseWriter, r *http.Request) {
	q, to := r.URL.Query(), url.Values{}
	for name, ours := range map[string]string{
		"service": "service", "operation": "operation", "minDuration": "min", "traceID": "q",
	} {
		if value := q.Get(name); value != "" && value != "all" {
			to.Set(ours, value)
		}
	}
	filters, _ := apiTags(q) // tags that cannot be read are left out
	var tags []string
	for _, f := range filters {
		if strings.ContainsAny(f.value, " =") {
			f.value = `"` + strings.ReplaceAll(f.value, `"`, "") + `"`
		}
		tags = append(tags, f.key+"="+f.value)
	}
	if slices.Sort(tags); len(tags) > 0 {
		to.Set("tag", strings.Join(tags, " "))
	}
	seeOther(w, base(r)+"?"+to.Encode())
}
