// Items of OpenAI's Responses and Conversations APIs: messages, tool calls, their results, reasoning. They are checked
// and made whole when they come in, kept as they are, and made messages when a model is asked.
#pragma once

#include <string_view>

#include "base/json.h"
#include "serve/fields.h"

namespace rival::serve {

// The items in a field: an array, or a text, which is one message of the user. Each comes out as the API shows it: with
// id, status, and content as parts. {"type": "item_reference", "id": ...} comes out as it is. Errors are kept in
// `fields` and name the item.
json::array read_items(Fields& fields, std::string_view name);

// What a chat template is told. `instructions`, if any, stand first; neighbouring system messages become one, as most
// templates take one only.
json::array item_messages(std::string_view instructions, const json::array& items);

// Up to kNotePairsMax short texts by name; an empty object where the field is absent.
json::object read_metadata(Fields& fields);

}  // namespace rival::serve
