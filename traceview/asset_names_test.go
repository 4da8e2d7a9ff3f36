package traceview

import "testing"

func TestNamesOfScriptsGetShorter(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"locals": {
			"(()=>{const total=1;function twice(value){return 2*value+total;}twice(3);})();",
			"(()=>{const _0=1;function _1(value){return 2*value+_0;}_1(3);})();",
		},
		"in a list":          {"(()=>{let first=1,second=2;use(first+second);})();", "(()=>{let _0=1,_1=2;use(_0+_1);})();"},
		"a taken name":       {"(()=>{const total=1,_0=2;use(total);})();", "(()=>{const _1=1,_0=2;use(_1);})();"},
		"property":           {"(()=>{const total=1;use(box.total,total);})();", "(()=>{const total=1;use(box.total,total);})();"},
		"key":                {"(()=>{const total=1;use({total:2},total);})();", "(()=>{const total=1;use({total:2},total);})();"},
		"key without colon":  {"(()=>{const total=1;use({total});})();", "(()=>{const total=1;use({total});})();"},
		"method":             {"(()=>{const total=1;use({total(){}},total);})();", "(()=>{const total=1;use({total(){}},total);})();"},
		"call in a block":    {"(()=>{const total=f;total(1);if(x){total(2);}})();", "(()=>{const _0=f;_0(1);if(x){_0(2);}})();"},
		"strings":            {`(()=>{const total=1;use("total",'total',total);})();`, `(()=>{const _0=1;use("total",'total',_0);})();`},
		"regular expression": {`(()=>{const total=1;use(/total\/[/]/,total);})();`, `(()=>{const _0=1;use(/total\/[/]/,_0);})();`},
		"arrows":             {"(()=>{on((e)=>e.x);on(async(e)=>e.x);})();", "(()=>{on(e=>e.x);on(async(e)=>e.x);})();"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := shortenNames(c.script); got != c.want {
				t.Errorf("%s became %s, want %s", c.script, got, c.want)
			}
		})
	}
}
