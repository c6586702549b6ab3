/* NAME.html: one file with the page, its program, both modules and the weights. It loads nothing
 * from the network, and its security policy forbids it to. */
#include "cli/ship/base64.h"
#include "cli/ship/ship_texts.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

extern const char web_net_js[], web_page_js[], web_page_html[], web_page_css[];

/* Writes an element that holds bytes, compressed by zlib and as base64. */
static void write_part(const char *name, const void *bytes, size_t length, FILE *out) {
    uLongf packed = compressBound(length);
    Bytef *to = memory_new(packed, "a page");
    compress2(to, &packed, bytes, length, Z_BEST_COMPRESSION);
    fprintf(out, "<script type=\"text/plain\" id=\"part-%s\">", name);
    base64_write(out, to, packed);
    fputs("</script>\n", out);
    free(to);
}

/* Writes the facts as JSON. '<', which could end the script, occurs only in strings and is
 * escaped. */
static void write_facts(const Shipment *shipment, FILE *out) {
    json_t *facts = ship_json(shipment);
    char *text = json_dumps(facts, JSON_COMPACT);
    for (const char *at = text; *at; at++)
        if (*at == '<')
            fputs("\\u003c", out);
        else
            fputc(*at, out);
    free(text);
    json_decref(facts);
}

void ship_page(const Shipment *shipment, FILE *out) {
    fprintf(out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
            "script-src 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src "
            "blob: data:\">\n"
            "<title>%s</title>\n<!-- Made by mlc %s. It belongs to whoever made it; mlc's licence "
            "does not reach it (0BSD). -->\n<style>\n%s</style>\n</head>\n<body>\n%s",
            shipment->name, MLC_VERSION, web_page_css, web_page_html);
    write_part("relaxed", shipment->relaxed.object, shipment->relaxed.object_bytes, out);
    write_part("exact", shipment->shipped.object, shipment->shipped.object_bytes, out);
    write_part("weights", shipment->weights, shipment->weights_bytes, out);
    if (shipment->page.length) write_part("rows", shipment->page.bytes, shipment->page.length, out);
    fputs("<script type=\"module\">\nconst facts = ", out);
    write_facts(shipment, out);
    fprintf(out, ";\n\n%s%s</script>\n</body>\n</html>\n", web_net_js, web_page_js);
}
