/* Dates and numbers as JavaScript reads them: what they are written as is read as the same. */
#include "schema/number.h"
#include "base/clock.h"
#include "fuzz.h"
#include "schema/date.h"
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = input_of(data, size);
    int64_t ms, again;
    double number, same;
    if (date_parse(text, &ms)) {
        char iso[ISO_LENGTH + 1];
        clock_iso(ms, iso);
        ASSERT(date_parse(view_of(iso), &again) && again == ms);
        ASSERT(date_from((double)ms, &again) && again == ms);
    }
    ASSERT(number_space(text) <= size);
    if (number_parse(text, &number)) {
        struct str written = {0};
        number_add(&written, number);
        ASSERT(!isnan(number) && number_parse(str_view(&written), &same) && same == number);
        str_release(&written);
    }
    return 0;
}
