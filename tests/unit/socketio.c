#include "base64.h"
#include "loop-stream/eio_packet.h"
#include "loop-stream/sio_packet.h"
#include "unit.h"

#include <errno.h>

static struct span text_of(const char *text)
{
	return (struct span){text, strlen(text)};
}

/* The vectors of RFC 4648, section 10. */
TEST(stream_base64_goes_both_ways)
{
	static const struct {
		const char *plain, *coded;
	} cases[] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		AUTO_BUF struct buf coded = {0}, plain = {0};

		buf_add(&coded, "", 0);
		buf_add(&plain, "", 0);
		base64_add(&coded, cases[i].plain, strlen(cases[i].plain));
		CHECK_STR(coded.text, cases[i].coded);
		CHECK_INT(base64_decode(coded.text, coded.length, &plain), 0);
		CHECK_STR(plain.text, cases[i].plain);
	}
}

TEST(stream_base64_refuses_what_is_none)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "====", "Z===", "Zg==Zg==", "Zm 9", "Zm-_"};

	for (size_t i = 0; i < countof(bad); i++) {
		AUTO_BUF struct buf out = {0};

		CHECK_INT(base64_decode(bad[i], strlen(bad[i]), &out), -EINVAL);
	}
}

TEST(stream_payload_holds_as_many_packets_as_fit)
{
	AUTO_BUF struct buf queue = {0}, one = {0}, two = {0}, three = {0};

	packet_queue(&queue, '4', false, text_of("hello"));
	packet_queue(&queue, '4', true, text_of("\x01\x02\x03\x04"));
	packet_queue(&queue, '2', false, text_of(""));
	packet_join(&queue, 100, &one);
	CHECK_STR(one.text, "4hello\x1e"
			    "bAQIDBA==\x1e"
			    "2");
	CHECK_INT(queue.length, 0);
	packet_queue(&queue, '4', false, text_of("longer than that"));
	packet_queue(&queue, '4', false, text_of("b"));
	packet_join(&queue, 3, &two);
	CHECK_STR(two.text, "4longer than that");
	packet_join(&queue, 3, &three);
	CHECK_STR(three.text, "4b");
}

TEST(stream_payload_is_cut_or_refused)
{
	static const struct {
		const char *payload;
		int packets; /* -1: it is none */
	} cases[] = {
		{"4a", 1},
		{"4a\x1e"
		 "2",
			2},
		{"", -1},
		{"4a\x1e", -1},
		{"b*", -1},
		{"4\xff", -1},
		{"b", 1},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct span rest = text_of(cases[i].payload);
		AUTO_BUF struct buf room = {0};
		struct packet p;
		int n = 0, r;

		while ((r = packet_cut(&rest, &p, &room)) > 0)
			n++;
		CHECK_INT(r < 0 ? -1 : n, cases[i].packets);
	}
}

TEST(stream_socketio_packets_are_read_as_the_protocol_has_them)
{
	static const struct {
		const char *text, *name_space, *id, *payload;
		int type, attachments;
	} cases[] = {
		{"0", "/", "", "", SIO_CONNECT, 0},
		{"0{\"token\":\"123\"}", "/", "", "{\"token\":\"123\"}", SIO_CONNECT, 0},
		{"0/custom", "/custom", "", "", SIO_CONNECT, 0},
		{"0/custom,{}", "/custom", "", "{}", SIO_CONNECT, 0},
		{"1/custom,", "/custom", "", "", SIO_DISCONNECT, 0},
		{"2[\"a\"]", "/", "", "[\"a\"]", SIO_EVENT, 0},
		{"2[1,2]", "/", "", "[1,2]", SIO_EVENT, 0},
		{"2/a,12[\"b\",{}]", "/a", "12", "[\"b\",{}]", SIO_EVENT, 0},
		{"312[]", "/", "12", "[]", SIO_ACK, 0},
		{"52-7[\"a\"]", "/", "7", "[\"a\"]", SIO_BINARY_EVENT, 2},
		{"50-[\"a\"]", "/", "", "[\"a\"]", SIO_BINARY_EVENT, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		AUTO_BUF struct buf again = {0};
		struct sio_packet p;

		CHECK_INT(sio_parse(&p, text_of(cases[i].text)), 0);
		CHECK_INT(p.type, cases[i].type);
		CHECK_INT(p.attachments, cases[i].attachments);
		CHECK_INT(p.name_space.n, strlen(cases[i].name_space));
		CHECK_INT(p.id.n, strlen(cases[i].id));
		CHECK_INT(p.payload.n, strlen(cases[i].payload));
		sio_format(&again, &p);
		CHECK_INT(sio_parse(&p, text_of(again.text)), 0);
	}
}

TEST(stream_socketio_packets_that_no_client_may_send)
{
	static const char *const bad[] = {
		"", "a", "7", "9[]", "0[]", "0x", "1{}", "2", "2{}", "2[]", "2[{}]",
		"2[null]", "2[\"connect\"]", "2[\"a\"", "2[\"a\"]x", "2abc[\"a\"]",
		"3[]", "31{}", "4{}", "5[\"a\"]", "5-[\"a\"]", "5x-[\"a\"]",
		"5999-[\"a\"]", "565-[\"a\"]", "21234567890123456[\"a\"]", "2/a[\"b\"]",
		"2[\"a\",{\"b\":1,\"b\":2}]"};

	for (size_t i = 0; i < countof(bad); i++) {
		struct sio_packet p;

		CHECK_INT(sio_parse(&p, text_of(bad[i])), -EINVAL);
	}
}

TEST(stream_socketio_events_are_taken_apart)
{
	static const struct {
		const char *payload, *name, *first, *arguments;
	} cases[] = {
		/* each with a full stop behind it */
		{"[\"a\"]", "\"a\".", ".", "."},
		{"[\"a\",1]", "\"a\".", "1.", "1."},
		{"[ \"a\" , [1,2] , {\"b\":\"]\"} ] ", "\"a\".", "[1,2].",
			"[1,2] , {\"b\":\"]\"} ."},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct sio_parts p = sio_event_parts(text_of(cases[i].payload));
		AUTO_BUF struct buf name = {0}, first = {0}, all = {0};

		buf_format(&name, "%.*s.", (int)p.name.n, p.name.p);
		buf_format(&first, "%.*s.", (int)p.first.n, p.first.p);
		buf_format(&all, "%.*s.", (int)p.arguments.n, p.arguments.p);
		CHECK_STR(name.text, cases[i].name);
		CHECK_STR(first.text, cases[i].first);
		CHECK_STR(all.text, cases[i].arguments);
	}
}
