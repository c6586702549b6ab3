/* Prints the values in event files of TensorBoard, one a line: STEP TAG VALUE. Other events are
 * printed as STEP version or STEP start. The program shares no code with mlc, and checks every
 * checksum and length. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t table[256];

static void make_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
        table[i] = crc;
    }
}

static uint32_t masked_crc(const uint8_t *bytes, size_t length) {
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < length; i++) crc = table[(crc ^ bytes[i]) & 255] ^ crc >> 8;
    crc ^= 0xffffffffu;
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static _Noreturn void damaged(const char *what) {
    fprintf(stderr, "damaged: %s\n", what);
    exit(1);
}

static uint64_t little(const uint8_t *at, int bytes) {
    uint64_t number = 0;
    while (bytes-- > 0) number = number << 8 | at[bytes];
    return number;
}

typedef struct {
    const uint8_t *at, *end;
} EventMessage;
typedef struct {
    uint32_t number, type;
    uint64_t value;
    EventMessage inside;
} Field;

static uint64_t varint(EventMessage *message) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (message->at == message->end) damaged("a number that is cut off");
        uint8_t byte = *message->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return value;
    }
    damaged("a number that does not end");
}

static int next(EventMessage *message, Field *field) {
    if (message->at == message->end) return 0;
    uint64_t key = varint(message);
    *field = (Field){.number = (uint32_t)(key >> 3), .type = key & 7};
    if (field->type == 0) {
        field->value = varint(message);
        return 1;
    }
    uint64_t size = field->type == 1   ? 8
                    : field->type == 5 ? 4
                    : field->type == 2 ? varint(message)
                                       : 0;
    if (!size && field->type != 2) damaged("a type of field");
    if (size > (uint64_t)(message->end - message->at)) damaged("a length");
    if (field->type != 2) field->value = little(message->at, (int)size);
    field->inside = (EventMessage){message->at, message->at + size};
    message->at += size;
    return 1;
}

static void print_value(uint64_t step, EventMessage value) {
    char tag[200] = "?";
    float number = 0;
    for (Field field; next(&value, &field);) {
        size_t length = (size_t)(field.inside.end - field.inside.at);
        if (field.number == 1) snprintf(tag, sizeof tag, "%.*s", (int)length, field.inside.at);
        uint32_t bits = (uint32_t)field.value;
        if (field.number == 2) memcpy(&number, &bits, sizeof number);
    }
    printf("%llu %s %.6g\n", (unsigned long long)step, tag, (double)number);
}

static void print_event(EventMessage event) {
    uint64_t step = 0;
    EventMessage begin = event;
    for (Field field; next(&event, &field);)
        if (field.number == 2) step = field.value;
    for (Field field, value; next(&begin, &field);) {
        if (field.number == 3) printf("%llu version\n", (unsigned long long)step);
        if (field.number == 7) printf("%llu start\n", (unsigned long long)step);
        while (field.number == 5 && next(&field.inside, &value)) print_value(step, value.inside);
    }
}

int main(int count, char **paths) {
    static uint8_t bytes[1 << 24];
    make_table();
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(paths[i], "rb");
        if (!file) damaged(paths[i]);
        size_t length = fread(bytes, 1, sizeof bytes, file), at = 0;
        fclose(file);
        while (at < length) {
            if (length - at < 16) damaged("a record that is cut off");
            uint64_t size = little(bytes + at, 8);
            if (little(bytes + at + 8, 4) != masked_crc(bytes + at, 8))
                damaged("checksum of a length");
            if (size > length - at - 16) damaged("the length of a record");
            const uint8_t *record = bytes + at + 12;
            if (little(record + size, 4) != masked_crc(record, size))
                damaged("checksum of a record");
            print_event((EventMessage){record, record + size});
            at += 16 + size;
        }
    }
    return 0;
}
