package thrift

// skip reads over a value.
func (r *reader) skip(typ byte, depth int) {
	if depth > maxDepth {
		r.fail(errTooDeep)
		return
	}
	switch typ {
	case typeBool:
		r.bool()
	case typeByte:
		r.take(1)
	case typeDouble:
		r.take(8)
	case typeI16:
		r.integer(2)
	case typeI32:
		r.integer(4)
	case typeI64:
		r.integer(8)
	case typeString:
		r.bytes()
	case typeStruct:
		r.fields(func(int16, byte) bool { return false }, depth)
	case typeList, typeSet:
		typ, n := r.listHeader()
		for range n {
			r.skip(typ, depth+1)
			if r.err != nil {
				return
			}
		}
	case typeMap:
		r.skipMap(depth)
	default:
		r.fail(errMalformed)
	}
}

func (r *reader) skipMap(depth int) {
	var key, value byte
	var n uint64
	if r.compact {
		if n = r.uvarint(); n == 0 {
			return
		}
		types := r.byte()
		key, value = binaryTypes[types>>4], binaryTypes[types&0x0f]
	} else {
		key, value = r.byte(), r.byte()
		n = uint64(r.integer(4))
	}
	for range n { // no key takes less than a byte, so this ends with the bytes
		r.skip(key, depth+1)
		r.skip(value, depth+1)
		if r.err != nil {
			return
		}
	}
}
