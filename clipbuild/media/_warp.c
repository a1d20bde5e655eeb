/* Resampling and laying over of picture planes: the inner loops of warp.py, which says what they mean.
 *
 * Whole numbers only, so that every machine makes the same bytes: samples have 6 bits below a level, weights and
 * alphas 14. The plain loops say what is meant; SSE2 (part of every x86-64) and AVX2 (asked for at run time) give the
 * same numbers, faster.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define SSE2 1
#else
#define SSE2 0
#endif
#if SSE2 && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>
#define AVX2 1
#define WITH_AVX2 __attribute__((target("avx2")))
static int has_avx2;
#else
#define AVX2 0
#endif

#define WEIGHT_BITS 14
#define WEIGHT_HALF (1 << (WEIGHT_BITS - 1))
#define ONE (1 << WEIGHT_BITS)
#define SAMPLE_BITS 6
#define MAX_TAPS 8
#define MAX_LAYERS 64

typedef struct {
    const int16_t *plane, *alpha;
    Py_ssize_t stride, size;
    int opacity, x, y, w, h;
    int sx, sy, span;               /* first source column, first source row, source columns in use */
    const int32_t *xoff, *yoff;
    const int16_t *xw, *yw;
    int xtaps, ytaps;
    uint8_t *near;                  /* for columns that are near each other: which bytes, and the weights in pairs */
    int16_t *pairs;
} Layer;

static int16_t narrow(int32_t v)
{
    v = (v + WEIGHT_HALF) >> WEIGHT_BITS;
    return (int16_t)(v < -32768 ? -32768 : v > 32767 ? 32767 : v);
}

#if AVX2
WITH_AVX2 static __m256i weights_of(const int16_t *w)
{
    return _mm256_set1_epi32((int)((uint32_t)(uint16_t)w[0] | ((uint32_t)(uint16_t)w[1] << 16)));
}

WITH_AVX2 static int rows4_avx2(int16_t *out, const int16_t *src, Py_ssize_t stride, const int16_t *w, int n)
{
    int x = 0;
    const __m256i half = _mm256_set1_epi32(WEIGHT_HALF), one = weights_of(w), two = weights_of(w + 2);
    for (; x + 16 <= n; x += 16) {
        const int16_t *s = src + x;
        __m256i a = _mm256_loadu_si256((const __m256i *)s), b = _mm256_loadu_si256((const __m256i *)(s + stride));
        __m256i c = _mm256_loadu_si256((const __m256i *)(s + 2 * stride)), d = _mm256_loadu_si256((const __m256i *)(s + 3 * stride));
        __m256i low = _mm256_add_epi32(_mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), one), _mm256_madd_epi16(_mm256_unpacklo_epi16(c, d), two));
        __m256i high = _mm256_add_epi32(_mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), one), _mm256_madd_epi16(_mm256_unpackhi_epi16(c, d), two));
        low = _mm256_srai_epi32(_mm256_add_epi32(low, half), WEIGHT_BITS);
        high = _mm256_srai_epi32(_mm256_add_epi32(high, half), WEIGHT_BITS);
        _mm256_storeu_si256((__m256i *)(out + x), _mm256_packs_epi32(low, high));
    }
    return x;
}

WITH_AVX2 static int rows_avx2(int16_t *out, const int16_t *src, Py_ssize_t stride, const int16_t *w, int taps, int n)
{
    int x = 0;
    __m256i pair[MAX_TAPS / 2];
    const __m256i half = _mm256_set1_epi32(WEIGHT_HALF);
    if (taps == 4)
        return rows4_avx2(out, src, stride, w, n);
    for (int t = 0; t < taps; t += 2)
        pair[t / 2] = weights_of(w + t);
    for (; x + 16 <= n; x += 16) {
        __m256i low = half, high = half;
        for (int t = 0; t < taps; t += 2) {
            __m256i a = _mm256_loadu_si256((const __m256i *)(src + t * stride + x));
            __m256i b = _mm256_loadu_si256((const __m256i *)(src + (t + 1) * stride + x));
            low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), pair[t / 2]));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), pair[t / 2]));
        }
        low = _mm256_srai_epi32(low, WEIGHT_BITS);
        high = _mm256_srai_epi32(high, WEIGHT_BITS);
        _mm256_storeu_si256((__m256i *)(out + x), _mm256_packs_epi32(low, high));
    }
    return x;
}

WITH_AVX2 static __m256i both(const int16_t *low, const int16_t *high)
{
    __m128i a = _mm_loadu_si128((const __m128i *)low), b = _mm_loadu_si128((const __m128i *)high);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
}

/* Four outputs of four taps that read from eight neighbours: one load, and two shuffles pick their pairs. */
WITH_AVX2 static int near_avx2(int16_t *out, const int16_t *src, const int32_t *off, const uint8_t *near, const int16_t *pairs, int n)
{
    int x = 0;
    const __m256i half = _mm256_set1_epi32(WEIGHT_HALF), next = _mm256_set1_epi8(4);
    for (; x + 16 <= n; x += 16) {
        __m256i done[2];
        for (int k = 0; k < 2; k++) {
            int at = x + 8 * k;
            __m256i samples = both(src + off[at], src + off[at + 4]);
            __m256i first = _mm256_loadu_si256((const __m256i *)(near + 4 * at));
            const int16_t *w = pairs + 4 * at;
            __m256i sum = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, first), _mm256_loadu_si256((const __m256i *)w));
            __m256i rest = _mm256_shuffle_epi8(samples, _mm256_add_epi8(first, next));
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(rest, _mm256_loadu_si256((const __m256i *)(w + 16))));
            done[k] = _mm256_srai_epi32(_mm256_add_epi32(sum, half), WEIGHT_BITS);
        }
        __m256i packed = _mm256_packs_epi32(done[0], done[1]);  /* 0-3 8-11 | 4-7 12-15 */
        _mm256_storeu_si256((__m256i *)(out + x), _mm256_permute4x64_epi64(packed, 0xD8));
    }
    return x;
}

WITH_AVX2 static __m256i quad(const int16_t *src, const int32_t *off)  /* 4 samples of outputs 0, 1 | 4, 5 */
{
    __m128i a = _mm_loadl_epi64((const __m128i *)(src + off[0])), b = _mm_loadl_epi64((const __m128i *)(src + off[1]));
    __m128i c = _mm_loadl_epi64((const __m128i *)(src + off[4])), d = _mm_loadl_epi64((const __m128i *)(src + off[5]));
    __m128i low = _mm_unpacklo_epi64(a, b), high = _mm_unpacklo_epi64(c, d);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

WITH_AVX2 static int columns_avx2(int16_t *out, const int16_t *src, const int32_t *off, const int16_t *w, int taps, int n)
{
    int x = 0;
    const __m256i half = _mm256_set1_epi32(WEIGHT_HALF);
    for (; x + 8 <= n; x += 8) {
        const int32_t *o = off + x;
        const int16_t *v = w + x * taps;
        __m256i sum;
        if (taps == 4) {
            __m256i a = _mm256_madd_epi16(quad(src, o), both(v, v + 16));
            __m256i b = _mm256_madd_epi16(quad(src, o + 2), both(v + 8, v + 24));
            sum = _mm256_hadd_epi32(a, b);
        } else {
            __m256i a = _mm256_madd_epi16(both(src + o[0], src + o[4]), both(v, v + 32));
            __m256i b = _mm256_madd_epi16(both(src + o[1], src + o[5]), both(v + 8, v + 40));
            __m256i c = _mm256_madd_epi16(both(src + o[2], src + o[6]), both(v + 16, v + 48));
            __m256i d = _mm256_madd_epi16(both(src + o[3], src + o[7]), both(v + 24, v + 56));
            sum = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
        }
        sum = _mm256_srai_epi32(_mm256_add_epi32(sum, half), WEIGHT_BITS);
        _mm_storeu_si128((__m128i *)(out + x), _mm_packs_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1)));
    }
    return x;
}
#endif

static void rows(int16_t *out, const int16_t *src, Py_ssize_t stride, const int16_t *w, int taps, int n)
{
    int x = 0;
#if AVX2
    if (has_avx2)
        x = rows_avx2(out, src, stride, w, taps, n);
#endif
#if SSE2
    __m128i pair[MAX_TAPS / 2];
    const __m128i half = _mm_set1_epi32(WEIGHT_HALF);
    for (int t = 0; t < taps; t += 2)
        pair[t / 2] = _mm_set1_epi32((int)((uint32_t)(uint16_t)w[t] | ((uint32_t)(uint16_t)w[t + 1] << 16)));
    for (; x + 8 <= n; x += 8) {
        __m128i low = half, high = half;
        for (int t = 0; t < taps; t += 2) {
            __m128i a = _mm_loadu_si128((const __m128i *)(src + t * stride + x));
            __m128i b = _mm_loadu_si128((const __m128i *)(src + (t + 1) * stride + x));
            low = _mm_add_epi32(low, _mm_madd_epi16(_mm_unpacklo_epi16(a, b), pair[t / 2]));
            high = _mm_add_epi32(high, _mm_madd_epi16(_mm_unpackhi_epi16(a, b), pair[t / 2]));
        }
        low = _mm_srai_epi32(low, WEIGHT_BITS);
        high = _mm_srai_epi32(high, WEIGHT_BITS);
        _mm_storeu_si128((__m128i *)(out + x), _mm_packs_epi32(low, high));
    }
#endif
    for (; x < n; x++) {
        int32_t sum = 0;
        for (int t = 0; t < taps; t++)
            sum += (int32_t)w[t] * src[t * stride + x];
        out[x] = narrow(sum);
    }
}

#if SSE2
static __m128i sums(__m128i a, __m128i b)  /* a0+a1, a2+a3, b0+b1, b2+b3 */
{
    __m128 fa = _mm_castsi128_ps(a), fb = _mm_castsi128_ps(b);
    __m128i even = _mm_castps_si128(_mm_shuffle_ps(fa, fb, _MM_SHUFFLE(2, 0, 2, 0)));
    __m128i odd = _mm_castps_si128(_mm_shuffle_ps(fa, fb, _MM_SHUFFLE(3, 1, 3, 1)));
    return _mm_add_epi32(even, odd);
}

static __m128i two(const int16_t *src, const int32_t *off, const int16_t *w)
{
    __m128i a = _mm_loadl_epi64((const __m128i *)(src + off[0]));
    __m128i b = _mm_loadl_epi64((const __m128i *)(src + off[1]));
    return _mm_madd_epi16(_mm_unpacklo_epi64(a, b), _mm_loadu_si128((const __m128i *)w));
}

static __m128i one(const int16_t *src, const int32_t *off, const int16_t *w)
{
    return _mm_madd_epi16(_mm_loadu_si128((const __m128i *)(src + off[0])), _mm_loadu_si128((const __m128i *)w));
}

static __m128i four(const int16_t *src, const int32_t *off, const int16_t *w, int taps)
{
    if (taps == 4)
        return sums(two(src, off, w), two(src, off + 2, w + 8));
    return sums(sums(one(src, off, w), one(src, off + 1, w + 8)), sums(one(src, off + 2, w + 16), one(src, off + 3, w + 24)));
}
#endif

static void columns(int16_t *out, const int16_t *src, const Layer *l)
{
    const int32_t *off = l->xoff;
    const int16_t *w = l->xw;
    int x = 0, taps = l->xtaps, n = l->w;
#if AVX2
    if (l->near)
        x = near_avx2(out, src, off, l->near, l->pairs, n);
    else if (has_avx2)
        x = columns_avx2(out, src, off, w, taps, n);
#endif
#if SSE2
    const __m128i half = _mm_set1_epi32(WEIGHT_HALF);
    for (; x + 8 <= n; x += 8) {
        __m128i low = _mm_add_epi32(four(src, off + x, w + x * taps, taps), half);
        __m128i high = _mm_add_epi32(four(src, off + x + 4, w + (x + 4) * taps, taps), half);
        low = _mm_srai_epi32(low, WEIGHT_BITS);
        high = _mm_srai_epi32(high, WEIGHT_BITS);
        _mm_storeu_si128((__m128i *)(out + x), _mm_packs_epi32(low, high));
    }
#endif
    for (; x < n; x++) {
        int32_t sum = 0;
        for (int t = 0; t < taps; t++)
            sum += (int32_t)w[x * taps + t] * src[off[x] + t];
        out[x] = narrow(sum);
    }
}

/* One row of a plane of a layer as it lies in the frame. */
static const int16_t *sampled(const Layer *l, const int16_t *plane, int row, int16_t *scratch, int16_t *room)
{
    if (l->xtaps == 0)
        return plane + (Py_ssize_t)(l->sy + row) * l->stride + l->sx;
    rows(scratch, plane + (Py_ssize_t)l->yoff[row] * l->stride + l->sx, l->stride, l->yw + row * l->ytaps, l->ytaps, l->span);
    columns(room, scratch, l);
    return room;
}

static void lay(int16_t *restrict acc, const int16_t *restrict colour, const int16_t *restrict alpha, int opacity, int n)
{
    for (int x = 0; x < n; x++) {
        int32_t a = alpha[x] < 0 ? 0 : alpha[x] > ONE ? ONE : alpha[x];
        int32_t c = ((int32_t)colour[x] * opacity + WEIGHT_HALF) >> WEIGHT_BITS;
        a = (a * opacity + WEIGHT_HALF) >> WEIGHT_BITS;
        acc[x] = (int16_t)((((int32_t)acc[x] * (ONE - a) + WEIGHT_HALF) >> WEIGHT_BITS) + c);
    }
}

static void fade(int16_t *restrict acc, const int16_t *restrict colour, int opacity, int n)
{
    for (int x = 0; x < n; x++)
        acc[x] = (int16_t)(((int32_t)acc[x] * (ONE - opacity) + (int32_t)colour[x] * opacity + WEIGHT_HALF) >> WEIGHT_BITS);
}

#if AVX2
WITH_AVX2 static int finish_avx2(uint8_t *out, const int16_t *acc, const int16_t *dither, int mask, int n)
{
    int x = 0;
    for (; x + 32 <= n && mask >= 31; x += 32) {
        __m256i a = _mm256_adds_epi16(_mm256_loadu_si256((const __m256i *)(acc + x)), _mm256_loadu_si256((const __m256i *)(dither + (x & mask))));
        __m256i b = _mm256_adds_epi16(_mm256_loadu_si256((const __m256i *)(acc + x + 16)), _mm256_loadu_si256((const __m256i *)(dither + ((x + 16) & mask))));
        a = _mm256_packus_epi16(_mm256_srai_epi16(a, SAMPLE_BITS), _mm256_srai_epi16(b, SAMPLE_BITS));
        _mm256_storeu_si256((__m256i *)(out + x), _mm256_permute4x64_epi64(a, 0xD8));
    }
    return x;
}
#endif

static void finish(uint8_t *out, const int16_t *acc, const int16_t *dither, int mask, int n)
{
    int x = 0;
#if AVX2
    if (has_avx2)
        x = finish_avx2(out, acc, dither, mask, n);
#endif
#if SSE2
    for (; x + 16 <= n; x += 16) {
        __m128i a = _mm_adds_epi16(_mm_loadu_si128((const __m128i *)(acc + x)), _mm_loadu_si128((const __m128i *)(dither + (x & mask))));
        __m128i b = _mm_adds_epi16(_mm_loadu_si128((const __m128i *)(acc + x + 8)), _mm_loadu_si128((const __m128i *)(dither + ((x + 8) & mask))));
        _mm_storeu_si128((__m128i *)(out + x), _mm_packus_epi16(_mm_srai_epi16(a, SAMPLE_BITS), _mm_srai_epi16(b, SAMPLE_BITS)));
    }
#endif
    for (; x < n; x++) {
        int v = (acc[x] + dither[x & mask]) >> SAMPLE_BITS;
        out[x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

/* With a dither the frame is finished to 8 bits; without one `out` takes samples as they are. */
static void draw(uint8_t *out, int width, int height, const Layer *layers, int count, const int16_t *dither, int side, int16_t *work, Py_ssize_t wide)
{
    int16_t *acc = work, *scratch = work + wide, *colour = work + 2 * wide, *alpha = work + 3 * wide;
    for (int y = 0; y < height; y++) {
        for (int i = 0; i < count; i++) {
            const Layer *l = layers + i;
            int row = y - l->y;
            if (row < 0 || row >= l->h || l->opacity == 0)
                continue;
            int16_t *place = acc + l->x;
            int covers = !l->alpha && l->opacity == ONE;
            const int16_t *line = sampled(l, l->plane, row, scratch, covers ? place : colour);
            if (l->alpha)
                lay(place, line, sampled(l, l->alpha, row, scratch, alpha), l->opacity, l->w);
            else if (!covers)
                fade(place, line, l->opacity, l->w);
            else if (line != place)
                memcpy(place, line, (size_t)l->w * sizeof(int16_t));
        }
        if (dither)
            finish(out + (Py_ssize_t)y * width, acc, dither + (y % side) * side, side - 1, width);
        else
            memcpy(out + 2 * (Py_ssize_t)y * width, acc, (size_t)width * sizeof(int16_t));
    }
}

/* ---- the way in from Python -------------------------------------------------------------------------------- */

typedef struct {
    Py_buffer views[6 * MAX_LAYERS + 2];
    int count;
} Views;

static const void *opened(Views *views, PyObject *object, int flags, Py_ssize_t *size)
{
    Py_buffer *view = &views->views[views->count];
    if (PyObject_GetBuffer(object, view, flags) < 0)
        return NULL;
    views->count++;
    if (size)
        *size = view->len;
    return view->buf;
}

static int wrong(const char *why)
{
    PyErr_SetString(PyExc_ValueError, why);
    return -1;
}

static int within(const Layer *l, Py_ssize_t samples)
{
    Py_ssize_t last = 0;
    if (l->xtaps == 0)
        return l->sx >= 0 && l->sy >= 0 && l->sx + l->w <= l->stride && (Py_ssize_t)(l->sy + l->h - 1) * l->stride + l->sx + l->w <= samples;
    if (l->sx < 0 || l->span < 0 || l->sx + l->span > l->stride)
        return 0;
    for (int x = 0; x < l->w; x++)
        if (l->xoff[x] < 0 || l->xoff[x] + l->xtaps > l->span)
            return 0;
    for (int y = 0; y < l->h; y++) {
        if (l->yoff[y] < 0)
            return 0;
        last = l->yoff[y] > last ? l->yoff[y] : last;
    }
    return (last + l->ytaps - 1) * l->stride + l->sx + l->span <= samples;
}

static int taken(Layer *l, PyObject *tuple, Views *views, int width, int height)
{
    PyObject *plane, *alpha, *xoff, *xw, *yoff, *yw;
    Py_ssize_t samples, other, xs, xws, ys, yws;
    int stride;
    if (!PyArg_ParseTuple(tuple, "OOiiiiiiiiiOOiOOi", &plane, &alpha, &stride, &l->opacity, &l->x, &l->y, &l->w, &l->h,
                          &l->sx, &l->sy, &l->span, &xoff, &xw, &l->xtaps, &yoff, &yw, &l->ytaps))
        return -1;
    l->stride = stride;
    l->alpha = NULL;
    if (!(l->plane = opened(views, plane, PyBUF_SIMPLE, &samples)))
        return -1;
    if (alpha != Py_None) {
        if (!(l->alpha = opened(views, alpha, PyBUF_SIMPLE, &other)))
            return -1;
        if (other != samples)
            return wrong("alpha and colour differ in size");
    }
    if (l->xtaps) {
        if (!(l->xoff = opened(views, xoff, PyBUF_SIMPLE, &xs)) || !(l->xw = opened(views, xw, PyBUF_SIMPLE, &xws)) ||
            !(l->yoff = opened(views, yoff, PyBUF_SIMPLE, &ys)) || !(l->yw = opened(views, yw, PyBUF_SIMPLE, &yws)))
            return -1;
        if ((l->xtaps != 4 && l->xtaps != 8) || l->ytaps < 2 || l->ytaps > MAX_TAPS || l->ytaps % 2)
            return wrong("taps");
        if (l->w < 0 || l->h < 0 || xs < 4 * (Py_ssize_t)l->w || ys < 4 * (Py_ssize_t)l->h ||
            xws < 2 * (Py_ssize_t)l->w * l->xtaps || yws < 2 * (Py_ssize_t)l->h * l->ytaps)
            return wrong("weights are too few");
    }
    if (l->opacity < 0 || l->opacity > ONE || l->x < 0 || l->y < 0 || l->w < 0 || l->h < 0 || l->x + l->w > width || l->y + l->h > height)
        return wrong("a layer lies outside the frame");
    if (stride < 1 || (l->w && l->h && !within(l, samples / 2)))
        return wrong("a layer reads outside its plane");
    return 0;
}

/* Where four outputs never span more than eight samples: their bytes and weights, laid out for near_avx2. */
static int prepared(Layer *l)
{
#if AVX2
    int n = l->w & ~7;
    if (!has_avx2 || l->xtaps != 4 || n < 16)
        return 0;
    for (int x = 0; x < n; x += 4)
        for (int k = 0; k < 4; k++)
            if (l->xoff[x + k] < l->xoff[x] || l->xoff[x + k] > l->xoff[x] + 4)
                return 0;
    if (!(l->near = malloc((size_t)n * 4)) || !(l->pairs = malloc((size_t)n * 8)))
        return -1;
    for (int x = 0; x < n; x++) {
        int byte = 2 * (l->xoff[x] - l->xoff[x & ~3]), block = (x & ~7) * 4, lane = (x & 7) * 2;
        for (int k = 0; k < 4; k++)
            l->near[4 * x + k] = (uint8_t)(byte + k);
        memcpy(l->pairs + block + lane, l->xw + 4 * x, 4);
        memcpy(l->pairs + block + 16 + lane, l->xw + 4 * x + 2, 4);
    }
#else
    (void)l;
#endif
    return 0;
}

static PyObject *compose(PyObject *self, PyObject *args)
{
    PyObject *target, *list, *pattern, *result = NULL;
    int width, height, side, count = 0;
    Py_ssize_t room, dither_room, wide;
    Views *views = NULL;
    Layer *layers = NULL;
    int16_t *work = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "OiiOOi", &target, &width, &height, &list, &pattern, &side))
        return NULL;
    if (width < 1 || height < 1 || !PyTuple_Check(list) || PyTuple_Size(list) > MAX_LAYERS || side < 8 || side & (side - 1)) {
        PyErr_SetString(PyExc_ValueError, "arguments");
        return NULL;
    }
    views = calloc(1, sizeof(Views));
    layers = calloc((size_t)PyTuple_Size(list) + 1, sizeof(Layer));
    wide = width + 16;
    if (!views || !layers) {
        PyErr_NoMemory();
        goto end;
    }
    uint8_t *out = (uint8_t *)opened(views, target, PyBUF_WRITABLE, &room);
    const int16_t *dither = NULL;
    if (!out || (pattern != Py_None && !(dither = opened(views, pattern, PyBUF_SIMPLE, &dither_room))))
        goto end;
    if (room < (Py_ssize_t)width * height * (dither ? 1 : 2) || (dither && dither_room < 2 * (Py_ssize_t)side * side)) {
        wrong("the target or the dither is too small");
        goto end;
    }
    for (; count < PyTuple_Size(list); count++) {
        if (taken(layers + count, PyTuple_GetItem(list, count), views, width, height) < 0)
            goto end;
        if (layers[count].span + 16 > wide)
            wide = layers[count].span + 16;
        if (prepared(layers + count) < 0) {
            PyErr_NoMemory();
            goto end;
        }
    }
    work = calloc((size_t)wide * 4, sizeof(int16_t));
    if (!work) {
        PyErr_NoMemory();
        goto end;
    }
    Py_BEGIN_ALLOW_THREADS
    draw(out, width, height, layers, count, dither, side, work, wide);
    Py_END_ALLOW_THREADS
    result = Py_None;
    Py_INCREF(result);
end:
    while (views && views->count)
        PyBuffer_Release(&views->views[--views->count]);
    for (int i = 0; layers && i < PyTuple_Size(list); i++) {
        free(layers[i].near);
        free(layers[i].pairs);
    }
    free(views);
    free(layers);
    free(work);
    return result;
}

static PyMethodDef methods[] = {
    {"compose", compose, METH_VARARGS, "compose(out, width, height, layers, dither, side): draw a plane, row by row; samples where dither is None."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_warp", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__warp(void)
{
#if AVX2
    __builtin_cpu_init();
    has_avx2 = __builtin_cpu_supports("avx2");
#endif
    return PyModule_Create(&module);
}
