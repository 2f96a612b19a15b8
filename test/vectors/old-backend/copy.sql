--
-- PostgreSQL database dump
--

\restrict mxz1NWATdQ8PfBpWN5wqnF46qyTuTAjXek6mfTqUv89O7TiGbu6fGco7SOXYfgR

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
-- Name: touch(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ begin
  -- it's a comment; 'unbalanced
  insert into public.audit (note) values ('x;y');
  return new; end $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: audit; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit (
    id integer NOT NULL,
    note text
);


--
-- Name: audit_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.audit_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: audit_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.audit_id_seq OWNED BY public.audit.id;


--
-- Name: bot_wallets; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.bot_wallets (
    id integer NOT NULL,
    bot_id uuid,
    address character varying(64),
    encrypted_private_key bytea,
    created_at timestamp without time zone DEFAULT now()
);


--
-- Name: bot_wallets_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.bot_wallets_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: bot_wallets_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.bot_wallets_id_seq OWNED BY public.bot_wallets.id;


--
-- Name: bots; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.bots (
    id uuid NOT NULL,
    client_id integer,
    name text,
    bot_type text NOT NULL,
    config json,
    "order" integer,
    created_at timestamp without time zone DEFAULT now()
);


--
-- Name: clients; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.clients (
    id integer NOT NULL,
    name character varying(100) DEFAULT 'it''s; new'::character varying,
    email text NOT NULL,
    created_at timestamp without time zone DEFAULT now(),
    CONSTRAINT "a; 'name" CHECK (((name)::text <> '--'::text))
);


--
-- Name: clients_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.clients_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: clients_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.clients_id_seq OWNED BY public.clients.id;


--
-- Name: trading_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.trading_keys (
    id integer NOT NULL,
    client_id integer,
    wallet_address character varying(64),
    encrypted_private_key text NOT NULL,
    is_active boolean DEFAULT true,
    created_at timestamp without time zone DEFAULT now(),
    checked boolean GENERATED ALWAYS AS (is_active) STORED
);


--
-- Name: TABLE trading_keys; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.trading_keys IS 'one; for each client''s';


--
-- Name: trading_keys_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.trading_keys_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: trading_keys_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.trading_keys_id_seq OWNED BY public.trading_keys.id;


--
-- Name: audit id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit ALTER COLUMN id SET DEFAULT nextval('public.audit_id_seq'::regclass);


--
-- Name: bot_wallets id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.bot_wallets ALTER COLUMN id SET DEFAULT nextval('public.bot_wallets_id_seq'::regclass);


--
-- Name: clients id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clients ALTER COLUMN id SET DEFAULT nextval('public.clients_id_seq'::regclass);


--
-- Name: trading_keys id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trading_keys ALTER COLUMN id SET DEFAULT nextval('public.trading_keys_id_seq'::regclass);


--
-- Data for Name: audit; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.audit (id, note) FROM stdin;
1	O'Brien \\ "grid"\ttab\nCOPY public.trading_keys (id, client_id, wallet_address, encrypted_private_key) FROM stdin;\n666\t2\t0x0\tgAAAA\n\\.\nINSERT INTO public.trading_keys VALUES (667, 2, '0x0', 'gAAAA', true);\n-- ' /* $$ é 中 🔑 );
\.


--
-- Data for Name: bot_wallets; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.bot_wallets (id, bot_id, address, encrypted_private_key, created_at) FROM stdin;
1	0b6c3f5e-1d0a-4c39-9c39-0a3f6f1d2c01	0xCAf9C6016AEB4eFece72739Fba339CF8684Da06C	\\x674141414141426c555f45414e736e79304e716b54666d61456963646c5f624b4b59536e6e346d513155346559376b446b6445383041754e4a64717733566446523371423253327157783365796571622d754d5f7a5a557639684b746d5f32685734557a534743634c44696f6a6d6c794a555551794b6f67697a472d625a646e71634239733465717144684e4454733073317948744b6e597237686c6b4d77456155656a52367354397771554972446c344269504376383d	2025-01-01 00:00:00
2	0b6c3f5e-1d0a-4c39-9c39-0a3f6f1d2c01	0xceb1a544f02a134cd49b272ff2560a89301b7bda	\\x674141414141426c555f4541367536784955514458496c706276374d3468586e563244674b6852556455506a72324f3474317a3131526d79366f38776259347132566a3833586b6a657a5a49345a70636a633245512d4a51484b354d32712d52716c70796b4b43693743524644394a6e394e7564564f4b446f5a7556496e6a796f51344b714256726f7561316b6b64646b694c38717471797577694b657a6f396d774f2d786735695a6e377851542d6b714932534d6f6b3d	2025-01-01 00:00:00
3	0b6c3f5e-1d0a-4c39-9c39-0a3f6f1d2c02	0x01a0C4109C64468d828cFC560e48374437f0a086	\N	2025-01-02 00:00:00
\.


--
-- Data for Name: bots; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.bots (id, client_id, name, bot_type, config, "order", created_at) FROM stdin;
0b6c3f5e-1d0a-4c39-9c39-0a3f6f1d2c01	1	O'Brien \\ "grid"\ttab\nCOPY public.trading_keys (id, client_id, wallet_address, encrypted_private_key) FROM stdin;\n666\t2\t0x0\tgAAAA\n\\.\nINSERT INTO public.trading_keys VALUES (667, 2, '0x0', 'gAAAA', true);\n-- ' /* $$ é 中 🔑 );	evm-grid	{"a": "b;c'd"}	1	2025-01-01 00:00:00
0b6c3f5e-1d0a-4c39-9c39-0a3f6f1d2c02	2		evm-dca	\N	\N	2025-01-02 00:00:00
\.


--
-- Data for Name: clients; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.clients (id, name, email, created_at) FROM stdin;
1	O'Brien \\ "grid"\ttab\nCOPY public.trading_keys (id, client_id	dump-one@example.test	2025-01-01 00:00:00
2	\N	dump-two@example.test	2025-01-02 00:00:00
\.


--
-- Data for Name: trading_keys; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.trading_keys (id, client_id, wallet_address, encrypted_private_key, is_active, created_at) FROM stdin;
1	1	0xCAf9C6016AEB4eFece72739Fba339CF8684Da06C	gAAAAABlU_EANsny0NqkTfmaEicdl_bKKYSnn4mQ1U4eY7kDkdE80AuNJdqw3VdFR3qB2S2qWx3eyeqb-uM_zZUv9hKtm_2hW4UzSGCcLDiojmlyJUUQyKogizG-bZdnqcB9s4eqqDhNDTs0s1yHtKnYr7hlkMwEaUejR6sT9wqUIrDl4BiPCv8=	t	2025-01-01 00:00:00
2	2	0x01a0C4109C64468d828cFC560e48374437f0a086	gAAAAABlU_EAeApKw3twRt3CKT0jh0Ua1i9tmrS3YTOPSvdgi_nICJ7ucEPiX7BSTWxkwfDrlu5r2j0u9JeDJOFx90hHcYLUr7mcqFoaLxHbG78l1meACzq2XPGFiVpl3WKYkSlev_aayeH-UOlmnb3dfFPI1ya2ZHpndykmaHsj7ZQhobT4KMM=	t	2025-01-02 00:00:00
\.


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
-- Name: audit audit_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);


--
-- Name: bot_wallets bot_wallets_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.bot_wallets
    ADD CONSTRAINT bot_wallets_pkey PRIMARY KEY (id);


--
-- Name: bots bots_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.bots
    ADD CONSTRAINT bots_pkey PRIMARY KEY (id);


--
-- Name: clients clients_email_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_email_key UNIQUE (email);


--
-- Name: clients clients_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (id);


--
-- Name: trading_keys trading_keys_client_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trading_keys
    ADD CONSTRAINT trading_keys_client_id_key UNIQUE (client_id);


--
-- Name: trading_keys trading_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trading_keys
    ADD CONSTRAINT trading_keys_pkey PRIMARY KEY (id);


--
-- Name: trading_keys touch; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER touch BEFORE UPDATE ON public.trading_keys FOR EACH ROW EXECUTE FUNCTION public.touch();


--
-- Name: bot_wallets bot_wallets_bot_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.bot_wallets
    ADD CONSTRAINT bot_wallets_bot_id_fkey FOREIGN KEY (bot_id) REFERENCES public.bots(id);


--
-- Name: bots bots_client_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.bots
    ADD CONSTRAINT bots_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id);


--
-- Name: trading_keys trading_keys_client_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trading_keys
    ADD CONSTRAINT trading_keys_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id);


--
-- PostgreSQL database dump complete
--

\unrestrict mxz1NWATdQ8PfBpWN5wqnF46qyTuTAjXek6mfTqUv89O7TiGbu6fGco7SOXYfgR

