package carrier

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// TestParseHexOfEveryByte puts every byte into every place of 16 digits.
func TestParseHexOfEveryByte(t *testing.T) {
	for name, tt := range map[string]struct {
		table  *hexTable
		digits string
	}{"lower case": {&lowerHex, lowerDigits}, "any case": {&anyHex, lowerDigits + "ABCDEF"}} {
		t.Run(name, func(t *testing.T) {
			for i := range 16 {
				for c := range 256 {
					digits := []byte("0123456789abcdef")
					digits[i] = byte(c)
					got, ok := parseHex(string(digits), tt.table)
					valid := strings.IndexByte(tt.digits, byte(c)) >= 0
					want, _ := strconv.ParseUint(string(digits), 16, 64)
					if ok != valid || ok && got != want {
						t.Errorf("%q is %x, %t; want %x, %t", digits, got, ok, want, valid)
					}
				}
			}
		})
	}
}

func TestParseHexOfEveryLength(t *testing.T) {
	for n := range 18 {
		s := strings.Repeat("f", n)
		v, ok := parseHex(s, &lowerHex)
		if valid := n > 0 && n <= 16; ok != valid || ok && fmt.Sprintf("%x", v) != s {
			t.Errorf("%d digits are %x, %t", n, v, ok)
		}
	}
}
