/* Finds the strokes of a drawn or photographed figure. The contrast of a pixel is its difference
 * from the background, the median of the border. Otsu's threshold separates strokes from paper.
 * Specks, far smaller than the largest stroke, are removed. */
#include "cli/session/ink.h"

#include "ir/base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEVELS = 256,
    SIDE_MAX = 512,    /* a larger picture is averaged over blocks of pixels */
    CONTRAST_MIN = 24, /* the least contrast of strokes, in levels */
    SPECK_RATIO = 25   /* a speck has less than 1/25 of the area of the largest stroke */
};

typedef struct {
    Arena *arena;
    int height, width;
    uint8_t *levels;   /* [height][width]: brightness, later contrast */
    bool *stroke;      /* [height][width] */
    uint8_t threshold; /* a pixel with more contrast is a stroke */
} Ink;

static int at(const Ink *ink, int y, int x) { return y * ink->width + x; }

static Ink ink_new(const Bitmap *bitmap, Arena *arena) {
    int longest = bitmap->height > bitmap->width ? bitmap->height : bitmap->width,
        block = (longest + SIDE_MAX - 1) / SIDE_MAX;
    Ink ink = {arena,
               (bitmap->height + block - 1) / block,
               (bitmap->width + block - 1) / block,
               NULL,
               NULL,
               0};
    ink.levels = ARENA_ARRAY(arena, uint8_t, (size_t)ink.height * (size_t)ink.width);
    ink.stroke = ARENA_ARRAY(arena, bool, (size_t)ink.height *(size_t)ink.width);
    for (int y = 0; y < ink.height; y++)
        for (int x = 0; x < ink.width; x++) {
            double top = y * block, left = x * block;
            Area area = {top, left, fmin(block, bitmap->height - top),
                         fmin(block, bitmap->width - left)};
            ink.levels[at(&ink, y, x)] = (uint8_t)lrint(bitmap_mean(bitmap, 0, area, 0));
        }
    return ink;
}

/* -- contrast -- */

/* The quantile of a histogram: the level that `fraction` of the pixels do not exceed. */
static int level_at(const uint32_t counts[LEVELS], double fraction) {
    double total = 0, seen = 0;
    for (int level = 0; level < LEVELS; level++) total += counts[level];
    for (int level = 0; level < LEVELS; level++)
        if ((seen += counts[level]) >= fraction * total) return level;
    return LEVELS - 1;
}

/* Replaces levels by contrasts. The variation of the border, at most a quarter of all levels, is
 * subtracted: it is paper. */
static void compute_contrasts(Ink *ink, bool dark) {
    uint32_t counts[LEVELS], uneven[LEVELS] = {0};
    memset(counts, 0, LEVELS * sizeof *counts);
    for (int y = 0; y < ink->height; y++)
        for (int x = 0; x < ink->width; x++)
            if (y == 0 || x == 0 || y == ink->height - 1 || x == ink->width - 1)
                counts[ink->levels[at(ink, y, x)]]++;
    int background = level_at(counts, 0.5);
    for (int level = 0; level < LEVELS; level++) uneven[abs(level - background)] += counts[level];
    int paper = level_at(uneven, 0.95) < LEVELS / 4 ? level_at(uneven, 0.95) : LEVELS / 4;
    for (int i = 0; i < ink->height * ink->width; i++) {
        int contrast = dark ? background - ink->levels[i] : ink->levels[i] - background;
        ink->levels[i] = (uint8_t)(contrast > paper ? contrast - paper : 0);
    }
}

/* The threshold with the largest variance between the two classes: N. Otsu, "A threshold selection
 * method from gray-level histograms" (1979). */
static uint8_t otsu(const Ink *ink) {
    uint32_t counts[LEVELS] = {0};
    double total = 0, sum = 0, below = 0, sum_below = 0, largest = 0;
    int threshold = 0;
    for (int i = 0; i < ink->height * ink->width; i++) counts[ink->levels[i]]++;
    for (int level = 0; level < LEVELS; level++)
        total += counts[level], sum += (double)level * counts[level];
    for (int level = 0; level < LEVELS - 1; level++) {
        below += counts[level];
        sum_below += (double)level * counts[level];
        if (below == 0 || below == total) continue;
        double distance = sum_below / below - (sum - sum_below) / (total - below);
        double variance = below * (total - below) * distance * distance;
        if (variance > largest) largest = variance, threshold = level;
    }
    return (uint8_t)threshold;
}

/* -- strokes -- */

typedef struct {
    int *pixels; /* connected by sides and corners */
    int count;
} Stroke;

/* Collects the stroke pixels connected with `first`, and clears their marks. */
static void collect(Ink *ink, int first, Stroke *stroke) {
    stroke->count = 0;
    stroke->pixels[stroke->count++] = first;
    ink->stroke[first] = false;
    for (int done = 0; done < stroke->count; done++) {
        int y = stroke->pixels[done] / ink->width, x = stroke->pixels[done] % ink->width;
        for (int ny = y > 0 ? y - 1 : 0; ny <= y + 1 && ny < ink->height; ny++)
            for (int nx = x > 0 ? x - 1 : 0; nx <= x + 1 && nx < ink->width; nx++) {
                if (!ink->stroke[at(ink, ny, nx)]) continue;
                ink->stroke[at(ink, ny, nx)] = false;
                stroke->pixels[stroke->count++] = at(ink, ny, nx);
            }
    }
}

static void mark_strokes(const Ink *ink) {
    for (int i = 0; i < ink->height * ink->width; i++)
        ink->stroke[i] = ink->levels[i] > ink->threshold;
}

static void remove_specks(Ink *ink) {
    int pixels = ink->height * ink->width, largest = 0;
    Stroke stroke = {ARENA_ARRAY(ink->arena, int, (size_t)pixels), 0};
    for (int i = 0; i < pixels; i++) {
        if (!ink->stroke[i]) continue;
        collect(ink, i, &stroke);
        if (stroke.count > largest) largest = stroke.count;
    }
    mark_strokes(ink);
    bool *kept = ARENA_ARRAY(ink->arena, bool, (size_t)pixels);
    for (int i = 0; i < pixels; i++) {
        if (!ink->stroke[i]) continue;
        collect(ink, i, &stroke);
        for (int k = 0; k < stroke.count && stroke.count * SPECK_RATIO >= largest; k++)
            kept[stroke.pixels[k]] = true;
    }
    ink->stroke = kept;
}

/* Scales the levels so that the brightest stroke is white. Pixels that do not touch a stroke become
 * black. */
static void brighten(const Ink *ink) {
    int brightest = 0;
    for (int i = 0; i < ink->height * ink->width; i++)
        if (ink->stroke[i] && ink->levels[i] > brightest) brightest = ink->levels[i];
    for (int y = 0; y < ink->height; y++)
        for (int x = 0; x < ink->width; x++) {
            bool near = false;
            for (int ny = y > 0 ? y - 1 : 0; ny <= y + 1 && ny < ink->height; ny++)
                for (int nx = x > 0 ? x - 1 : 0; nx <= x + 1 && nx < ink->width; nx++)
                    near |= ink->stroke[at(ink, ny, nx)];
            uint8_t *level = &ink->levels[at(ink, y, x)];
            *level = (uint8_t)(near ? *level * (LEVELS - 1) / brightest : 0);
        }
}

/* -- the picture -- */

/* The bounding box of the strokes, and their centre of mass. */
static Area box_of(const Ink *ink, double *middle_y, double *middle_x) {
    int top = ink->height, left = ink->width, bottom = 0, right = 0;
    double mass = 0, y_mass = 0, x_mass = 0;
    for (int y = 0; y < ink->height; y++)
        for (int x = 0; x < ink->width; x++) {
            double level = ink->levels[at(ink, y, x)];
            mass += level, y_mass += level * (y + 0.5), x_mass += level * (x + 0.5);
            if (!ink->stroke[at(ink, y, x)]) continue;
            if (y < top) top = y;
            if (y > bottom) bottom = y;
            if (x < left) left = x;
            if (x > right) right = x;
        }
    *middle_y = y_mass / mass, *middle_x = x_mass / mass;
    return (Area){top, left, bottom - top + 1, right - left + 1};
}

static void draw(const Ink *ink, int height, int width, uint8_t *pixels) {
    double y, x;
    Area box = box_of(ink, &y, &x);
    double size = fmax(box.height / (height * 20.0 / 28), box.width / (width * 20.0 / 28));
    Bitmap strokes = {ink->height, ink->width, 1, false, ink->levels};
    for (int row = 0; row < height; row++)
        for (int column = 0; column < width; column++) {
            Area area = {y + (row - height / 2.0) * size, x + (column - width / 2.0) * size, size,
                         size};
            pixels[row * width + column] = (uint8_t)lrint(bitmap_mean(&strokes, 0, area, 0));
        }
}

bool ink_centre(const Bitmap *bitmap, bool dark, int height, int width, uint8_t *pixels) {
    Arena *arena = arena_new();
    Ink ink = ink_new(bitmap, arena);
    compute_contrasts(&ink, dark);
    ink.threshold = otsu(&ink);
    mark_strokes(&ink);
    bool found = false;
    for (int i = 0; i < ink.height * ink.width; i++)
        found |= ink.stroke[i] && ink.levels[i] >= CONTRAST_MIN;
    if (found) {
        remove_specks(&ink);
        brighten(&ink);
        draw(&ink, height, width, pixels);
        /* Thin strokes become pale when a large picture shrinks, so the brightest pixel is scaled
         * to white. */
        int count = height * width;
        int brightest = 1;
        for (int i = 0; i < count; i++)
            if (pixels[i] > brightest) brightest = pixels[i];
        for (int i = 0; i < count; i++) pixels[i] = (uint8_t)(pixels[i] * (LEVELS - 1) / brightest);
    }
    arena_free(arena);
    return found;
}
