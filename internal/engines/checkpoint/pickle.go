package checkpoint

import (
	"encoding/binary"
	"strings"

	"github.com/earwitness/earwitness/evidence"
)

// The subset of Python's pickle (protocol 2) that torch.save writes for a dictionary of tensors. The machine
// below builds strings, numbers, tuples, lists and dictionaries; of all the things a pickle can call it knows
// two, and those only describe. Anything else is refused. Each instruction makes at most one value, so memory
// is bounded by the pickle's length.

type (
	pyGlobal  string // "module name"
	pyTuple   []any
	pyList    struct{ items []any }
	pyDict    struct{ items map[string]any } // by text; what stands under a whole number is not kept
	pyStorage struct {
		key   string
		kind  Element
		count int64 // elements
	}
	pyMark struct{}
)

// pyTensor is a tensor as a pickle describes it: part of a storage.
type pyTensor struct {
	pyStorage
	offset int64
	dims   []int
}

const (
	rebuildTensor = pyGlobal("torch._utils _rebuild_tensor_v2")
	orderedDict   = pyGlobal("collections OrderedDict")
	maxDepth      = 1 << 16 // values on the stack; large-v3 needs about 3,000
)

type unpickler struct {
	in       []byte
	at       int
	stack    []any
	memo     map[uint32]any
	storages map[string]pyStorage // all that were referred to, by key
	bad      error
}

func (u *unpickler) refuse(format string, args ...any) {
	if u.bad == nil {
		u.bad = evidence.Invalid("the .pt file's pickle "+format, args...).
			WithHint("only dictionaries of tensors can be read; nothing in a .pt file is executed")
	}
}

func (u *unpickler) take(n int) []byte {
	if u.bad != nil || n < 0 || n > len(u.in)-u.at {
		u.refuse("is cut short")
		return make([]byte, min(max(n, 0), 8))
	}
	b := u.in[u.at : u.at+n]
	u.at += n
	return b
}

func (u *unpickler) u32() uint32 { return binary.LittleEndian.Uint32(u.take(4)) }

func (u *unpickler) line() string {
	s, _, ok := strings.Cut(string(u.in[u.at:min(len(u.in), u.at+256)]), "\n")
	if !ok {
		u.refuse("is cut short")
		return ""
	}
	u.at += len(s) + 1
	return s
}

func (u *unpickler) push(v any) {
	if len(u.stack) >= maxDepth {
		u.refuse("nests too deep")
		return
	}
	u.stack = append(u.stack, v)
}

func (u *unpickler) pop() any {
	if len(u.stack) == 0 {
		u.refuse("takes from an empty stack")
		return nil
	}
	v := u.stack[len(u.stack)-1]
	u.stack = u.stack[:len(u.stack)-1]
	return v
}

func (u *unpickler) top() any {
	v := u.pop()
	u.push(v)
	return v
}

func (u *unpickler) tuple(n int) {
	t := make(pyTuple, n)
	for i := n - 1; i >= 0; i-- {
		t[i] = u.pop()
	}
	u.push(t)
}

// toMark takes everything above the last mark.
func (u *unpickler) toMark() []any {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, ok := u.stack[i].(pyMark); ok {
			items := append([]any(nil), u.stack[i+1:]...)
			u.stack = u.stack[:i]
			return items
		}
	}
	u.refuse("has no mark where it needs one")
	return nil
}

func (u *unpickler) set(pairs []any) {
	d, ok := u.top().(*pyDict)
	if !ok || len(pairs)%2 != 0 {
		u.refuse("sets items of what is no dictionary")
		return
	}
	for i := 0; i < len(pairs); i += 2 {
		switch key := pairs[i].(type) {
		case string:
			d.items[key] = pairs[i+1]
		case int64: // an optimiser's state, by the parameter's number
		default:
			u.refuse("has a key that is neither text nor a whole number")
			return
		}
	}
}

func (u *unpickler) extend(items ...any) {
	if l, ok := u.top().(*pyList); ok {
		l.items = append(l.items, items...)
		return
	}
	u.refuse("appends to what is no list")
}

func (u *unpickler) recall(k uint32) {
	v, ok := u.memo[k]
	if !ok {
		u.refuse("recalls what was not kept")
	}
	u.push(v)
}

// run executes until STOP and returns the value on top.
func (u *unpickler) run() any {
	for u.bad == nil {
		switch op := u.take(1)[0]; op {
		case 0x80: // PROTO
			if v := u.take(1)[0]; v != 2 {
				u.refuse("has protocol %d where 2 was expected", v)
			}
		case '.': // STOP
			return u.pop()
		case '(':
			u.push(pyMark{})
		case '}':
			u.push(&pyDict{map[string]any{}})
		case ']':
			u.push(&pyList{})
		case ')':
			u.push(pyTuple{})
		case 't':
			u.push(pyTuple(u.toMark()))
		case 0x85, 0x86, 0x87:
			u.tuple(int(op) - 0x84)
		case 'N':
			u.push(nil)
		case 0x88, 0x89:
			u.push(op == 0x88)
		case 'K':
			u.push(int64(u.take(1)[0]))
		case 'M':
			u.push(int64(binary.LittleEndian.Uint16(u.take(2))))
		case 'J':
			u.push(int64(int32(u.u32())))
		case 'G': // a float; none is used here
			u.take(8)
			u.push(nil)
		case 0x8a: // LONG1
			n := u.take(1)[0]
			if n > 8 {
				u.refuse("has a number of %d bytes", n)
			}
			b := u.take(int(n))
			v := int64(0)
			for i := range b {
				v |= int64(b[i]) << (8 * i)
			}
			if n > 0 && n < 8 && b[n-1]&0x80 != 0 {
				v -= 1 << (8 * n)
			}
			u.push(v)
		case 'X':
			u.push(string(u.take(int(u.u32()))))
		case 'c':
			module := u.line()
			u.push(pyGlobal(module + " " + u.line()))
		case 'q':
			u.memo[uint32(u.take(1)[0])] = u.top()
		case 'r':
			u.memo[u.u32()] = u.top()
		case 'h':
			u.recall(uint32(u.take(1)[0]))
		case 'j':
			u.recall(u.u32())
		case 's':
			v := u.pop()
			u.set([]any{u.pop(), v})
		case 'u':
			u.set(u.toMark())
		case 'a':
			v := u.pop()
			u.extend(v)
		case 'e':
			u.extend(u.toMark()...)
		case 'Q':
			u.push(u.storage(u.pop()))
		case 'R':
			args := u.pop()
			u.push(u.reduce(u.pop(), args))
		case 'b': // BUILD: attributes of a dictionary, of no use here
			u.pop()
			if _, ok := u.top().(*pyDict); !ok {
				u.refuse("gives attributes to what is no dictionary")
			}
		default:
			u.refuse("has instruction 0x%02x at byte %d, which is not allowed", op, u.at-1)
		}
	}
	return nil
}

// storage reads a persistent id: ("storage", class, key, location, number of elements), and before PyTorch 1.6
// whether it is a view of another, which nothing is today.
func (u *unpickler) storage(id any) any {
	t, ok := id.(pyTuple)
	if ok && (len(t) == 5 || len(t) == 6 && t[5] == nil) {
		class, isClass := t[1].(pyGlobal)
		key, isKey := t[2].(string)
		n, isCount := t[4].(int64)
		kind, known := map[pyGlobal]Element{"torch HalfStorage": Half, "torch BFloat16Storage": Brain, "torch FloatStorage": Single}[class]
		if isClass && isKey && isCount && t[0] == any("storage") && key != "" && !strings.ContainsAny(key, "/\\") && key != ".." {
			if !known {
				u.refuse("has numbers of type %.60q", string(class))
			}
			s := pyStorage{key, kind, n}
			if other, ok := u.storages[key]; ok && other != s {
				u.refuse("describes the storage %.40q in two ways", key)
			}
			u.storages[key] = s
			return s
		}
	}
	u.refuse("has a reference that is no storage")
	return nil
}

// reduce stands for a call. Only describing a tensor and making an empty dictionary are known.
func (u *unpickler) reduce(f, args any) any {
	t, _ := args.(pyTuple)
	switch g, _ := f.(pyGlobal); g {
	case orderedDict:
		if len(t) == 0 {
			return &pyDict{map[string]any{}}
		}
	case rebuildTensor: // storage, offset, size, stride, requires_grad, hooks
		if len(t) < 6 {
			break
		}
		s, ok1 := t[0].(pyStorage)
		offset, ok2 := t[1].(int64)
		dims, ok3 := wholes(t[2])
		strides, ok4 := wholes(t[3])
		if !ok1 || !ok2 || !ok3 || !ok4 || len(dims) != len(strides) {
			break
		}
		if _, err := count(dims); err != nil {
			u.refuse("describes a tensor of shape %v", dims)
			return nil
		}
		step := 1
		for i := len(dims) - 1; i >= 0; i-- {
			if dims[i] > 1 && strides[i] != step {
				u.refuse("describes a tensor that does not lie in one piece")
				return nil
			}
			step *= max(1, dims[i])
		}
		return pyTensor{s, offset, dims}
	default:
		u.refuse("calls %.80q, which is not allowed", string(g))
		return nil
	}
	u.refuse("calls %.80q with arguments that it does not take", f)
	return nil
}

// wholes reads a tuple of up to eight sizes.
func wholes(v any) ([]int, bool) {
	t, ok := v.(pyTuple)
	if !ok || len(t) > 8 {
		return nil, false
	}
	out := make([]int, len(t))
	for i, e := range t {
		n, ok := e.(int64)
		if !ok || n < 0 || n > maxElements {
			return nil, false
		}
		out[i] = int(n)
	}
	return out, true
}

func newUnpickler(b []byte) *unpickler {
	return &unpickler{in: b, memo: map[uint32]any{}, storages: map[string]pyStorage{}}
}

// unpickle returns the tensors of a checkpoint: those of its dictionary of weights, or of the dictionary itself.
func unpickle(b []byte) (map[string]pyTensor, error) {
	u := newUnpickler(b)
	v := u.run()
	if u.bad != nil {
		return nil, u.bad
	}
	return named(v)
}

func named(v any) (map[string]pyTensor, error) {
	d, ok := v.(*pyDict)
	if ok {
		for _, name := range []string{"model_state_dict", "model_state"} {
			if inner, has := d.items[name].(*pyDict); has {
				d = inner
				break
			}
		}
	}
	out := map[string]pyTensor{}
	if ok {
		for name, v := range d.items {
			if t, ok := v.(pyTensor); ok {
				out[name] = t
			}
		}
	}
	if len(out) == 0 {
		return nil, evidence.Invalid("the .pt file's pickle holds no tensors by name")
	}
	return out, nil
}
