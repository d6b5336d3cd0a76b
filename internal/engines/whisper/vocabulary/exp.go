package vocabulary

import "math"

// exp32 is e^x for x <= 0 to 2e-7 of the value: the loop needs fifty thousand of them for every token, and
// math.Exp would be a tenth of its time. Below e^-87 it is 0.
func exp32(x float32) float32 {
	if !(x > -87) {
		return 0
	}
	const log2e, high, low = 1.44269504088896341, 0.693359375, -2.12194440e-4 // ln 2 = high + low
	n := int32(x*log2e - 0.5)
	f := float32(n)
	x = float32(x-float32(f*high)) - float32(f*low) // in -ln2/2 .. ln2/2; conversions forbid fused rounding
	y := float32(1.9875691500e-4)
	y = float32(y*x) + 1.3981999507e-3
	y = float32(y*x) + 8.3334519073e-3
	y = float32(y*x) + 4.1665795894e-2
	y = float32(y*x) + 1.6666665459e-1
	y = float32(y*x) + 5.0000001201e-1
	y = float32(float32(y*x)*x) + x + 1
	return y * math.Float32frombits(uint32(n+127)<<23)
}
