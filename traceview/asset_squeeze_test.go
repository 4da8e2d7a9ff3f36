package traceview

import "testing"

func TestScriptsAreSqueezed(t *testing.T) {
	for from, want := range map[string]string{
		"a = b + 1;\n// comment\nc(d, e)":          "a=b+1;c(d,e)",
		"if (a) {\nb();\n}":                        "if(a){b()}",
		"return x / 2":                             "return x / 2",
		"a + +b - -c":                              "a+ +b- -c",
		`say("a , b // c" + ' d = e ')`:            `say("a , b // c"+' d = e ')`,
		"f(/a b[/ ]\\/ c/.test(x), y)":             "f(/a b[/ ]\\/ c/.test(x),y)",
		"`a + ${b}  c`":                            "`a + ${b}  c`",
		"const x = y in z ? 1 : 2 // it's the end": "const x=y in z?1:2 ",
		`"\" = "; a = 1`:                           `"\" = ";a=1`,
	} {
		t.Run(from, func(t *testing.T) {
			if got := squeezeJS(from); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
	const css = "a, b { color: red; margin: calc(1px + 2px); }\n@media (min-width: 10px) {\n.c:hover .d { content: \" ↓\"; }\n}"
	if got, want := squeezeCSS(css), `a,b{color:red;margin:calc(1px + 2px)}@media (min-width:10px){.c:hover .d{content:" ↓"}}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
