--
-- PostgreSQL database dump
--

\restrict CbRtf1WoyxAeBB06lmCbaRms9oO5AJjfOid24rBjFWFzRVN5ohUQcUJm1it224I

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Data for Name: audit; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit (id, note) VALUES (1, 'O''Brien \ "grid"	tab
COPY public.trading_keys (id, client_id, wallet_address, encrypted_private_key) FROM stdin;
666	2	0x0	gAAAA
\.
INSERT INTO public.trading_keys VALUES (667, 2, ''0x0'', ''gAAAA'', true);
-- '' /* $$ é 中 🔑 );');


--
-- Data for Name: clients; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.clients (id, name, email, created_at) VALUES (1, 'O''Brien \ "grid"	tab
COPY public.trading_keys (id, client_id', 'dump-one@example.test', '2025-01-01 00:00:00');
INSERT INTO public.clients (id, name, email, created_at) VALUES (2, NULL, 'dump-two@example.test', '2025-01-02 00:00:00');


--
-- Data for Name: bots; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.bots (id, client_id, name, bot_type, config, "order", created_at) VALUES ('0b6c3f5e-1d0a-4c39-9c39-0a3f6f1d2c01', 1, 'O''Brien \ "grid"	tab
COPY public.trading_keys (id, client_id, wallet_address, encrypted_private_key) FROM stdin;
666	2	0x0	gAAAA
\.
INSERT INTO public.trading_keys VALUES (667, 2, ''0x0'', ''gAAAA'', true);
-- '' /* $$ é 中 🔑 );', 'evm-grid', '{"a": "b;c''d"}', 1, '2025-01-01 00:00:00');
INSERT INTO public.bots (id, client_id, name, bot_type, config, "order", created_at) VALUES ('0b6c3f5e-1d0a-4c39-9c39-0a3f6f1d2c02', 2, '', 'evm-dca', NULL, NULL, '2025-01-02 00:00:00');


--
-- Data for Name: bot_wallets; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.bot_wallets (id, bot_id, address, encrypted_private_key, created_at) VALUES (1, '0b6c3f5e-1d0a-4c39-9c39-0a3f6f1d2c01', '0xCAf9C6016AEB4eFece72739Fba339CF8684Da06C', '\x674141414141426c555f45414e736e79304e716b54666d61456963646c5f624b4b59536e6e346d513155346559376b446b6445383041754e4a64717733566446523371423253327157783365796571622d754d5f7a5a557639684b746d5f32685734557a534743634c44696f6a6d6c794a555551794b6f67697a472d625a646e71634239733465717144684e4454733073317948744b6e597237686c6b4d77456155656a52367354397771554972446c344269504376383d', '2025-01-01 00:00:00');
INSERT INTO public.bot_wallets (id, bot_id, address, encrypted_private_key, created_at) VALUES (2, '0b6c3f5e-1d0a-4c39-9c39-0a3f6f1d2c01', '0xceb1a544f02a134cd49b272ff2560a89301b7bda', '\x674141414141426c555f4541367536784955514458496c706276374d3468586e563244674b6852556455506a72324f3474317a3131526d79366f38776259347132566a3833586b6a657a5a49345a70636a633245512d4a51484b354d32712d52716c70796b4b43693743524644394a6e394e7564564f4b446f5a7556496e6a796f51344b714256726f7561316b6b64646b694c38717471797577694b657a6f396d774f2d786735695a6e377851542d6b714932534d6f6b3d', '2025-01-01 00:00:00');
INSERT INTO public.bot_wallets (id, bot_id, address, encrypted_private_key, created_at) VALUES (3, '0b6c3f5e-1d0a-4c39-9c39-0a3f6f1d2c02', '0x01a0C4109C64468d828cFC560e48374437f0a086', NULL, '2025-01-02 00:00:00');


--
-- Data for Name: trading_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.trading_keys (id, client_id, wallet_address, encrypted_private_key, is_active, created_at) VALUES (1, 1, '0xCAf9C6016AEB4eFece72739Fba339CF8684Da06C', 'gAAAAABlU_EANsny0NqkTfmaEicdl_bKKYSnn4mQ1U4eY7kDkdE80AuNJdqw3VdFR3qB2S2qWx3eyeqb-uM_zZUv9hKtm_2hW4UzSGCcLDiojmlyJUUQyKogizG-bZdnqcB9s4eqqDhNDTs0s1yHtKnYr7hlkMwEaUejR6sT9wqUIrDl4BiPCv8=', true, '2025-01-01 00:00:00');
INSERT INTO public.trading_keys (id, client_id, wallet_address, encrypted_private_key, is_active, created_at) VALUES (2, 2, '0x01a0C4109C64468d828cFC560e48374437f0a086', 'gAAAAABlU_EAeApKw3twRt3CKT0jh0Ua1i9tmrS3YTOPSvdgi_nICJ7ucEPiX7BSTWxkwfDrlu5r2j0u9JeDJOFx90hHcYLUr7mcqFoaLxHbG78l1meACzq2XPGFiVpl3WKYkSlev_aayeH-UOlmnb3dfFPI1ya2ZHpndykmaHsj7ZQhobT4KMM=', true, '2025-01-02 00:00:00');


--
-- Name: audit_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.audit_id_seq', 1, true);


--
-- Name: bot_wallets_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.bot_wallets_id_seq', 1, false);


--
-- Name: clients_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.clients_id_seq', 1, false);


--
-- Name: trading_keys_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.trading_keys_id_seq', 1, false);


--
-- PostgreSQL database dump complete
--

\unrestrict CbRtf1WoyxAeBB06lmCbaRms9oO5AJjfOid24rBjFWFzRVN5ohUQcUJm1it224I

