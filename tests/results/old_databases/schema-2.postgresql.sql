CREATE TABLE public.calculation_documents (
    fingerprint character varying(64) NOT NULL,
    document json NOT NULL,
    arrays bytea NOT NULL
);
CREATE TABLE public.calculations (
    fingerprint character varying(64) NOT NULL,
    kind character varying NOT NULL,
    task character varying NOT NULL,
    potential_name character varying NOT NULL,
    potential_sha256 character varying NOT NULL,
    initial_structure character varying(64) NOT NULL,
    final_structure character varying(64),
    energy_ev double precision,
    barrier_ev double precision,
    max_force double precision,
    converged boolean NOT NULL,
    failure text,
    steps integer NOT NULL,
    force_evaluations integer NOT NULL,
    wall_time_s double precision NOT NULL,
    created_at character varying NOT NULL
);
CREATE TABLE public.campaigns (
    id integer NOT NULL,
    name character varying NOT NULL,
    document json NOT NULL,
    created_at character varying NOT NULL
);
CREATE SEQUENCE public.campaigns_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.campaigns_id_seq OWNED BY public.campaigns.id;
CREATE TABLE public.candidate_documents (
    candidate_id integer NOT NULL,
    document json NOT NULL,
    arrays bytea NOT NULL
);
CREATE TABLE public.candidates (
    id integer NOT NULL,
    key character varying(64) NOT NULL,
    campaign_id integer NOT NULL,
    screen character varying NOT NULL,
    host character varying NOT NULL,
    elements character varying NOT NULL,
    miller_index character varying NOT NULL,
    termination character varying NOT NULL,
    potential_name character varying NOT NULL,
    potential_sha256 character varying NOT NULL,
    converged boolean NOT NULL,
    created_at character varying NOT NULL
);
CREATE SEQUENCE public.candidates_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.candidates_id_seq OWNED BY public.candidates.id;
CREATE TABLE public.labels (
    candidate_id integer NOT NULL,
    name character varying NOT NULL,
    value character varying NOT NULL
);
CREATE TABLE public.lithiophile_revision (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.lithiophile_schema (
    version integer NOT NULL
);
CREATE SEQUENCE public.lithiophile_schema_version_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.lithiophile_schema_version_seq OWNED BY public.lithiophile_schema.version;
CREATE TABLE public.properties (
    candidate_id integer NOT NULL,
    name character varying NOT NULL,
    value double precision,
    unit character varying NOT NULL,
    error double precision,
    converged boolean NOT NULL,
    reference_state text,
    failure text,
    fingerprints json NOT NULL
);
CREATE TABLE public.rankings (
    id integer NOT NULL,
    campaign_id integer NOT NULL,
    screen character varying NOT NULL,
    created_at character varying NOT NULL,
    document json NOT NULL
);
CREATE SEQUENCE public.rankings_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.rankings_id_seq OWNED BY public.rankings.id;
CREATE TABLE public.store_blob_uses (
    document_id integer NOT NULL,
    sha256 character varying(64) NOT NULL
);
CREATE TABLE public.store_blobs (
    sha256 character varying(64) NOT NULL,
    data bytea NOT NULL
);
CREATE TABLE public.store_documents (
    id integer NOT NULL,
    collection character varying NOT NULL,
    document json NOT NULL
);
CREATE SEQUENCE public.store_documents_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.store_documents_id_seq OWNED BY public.store_documents.id;
CREATE TABLE public.structures (
    sha256 character varying(64) NOT NULL,
    formula character varying NOT NULL,
    n_atoms integer NOT NULL,
    data bytea NOT NULL
);
ALTER TABLE ONLY public.campaigns ALTER COLUMN id SET DEFAULT nextval('public.campaigns_id_seq'::regclass);
ALTER TABLE ONLY public.candidates ALTER COLUMN id SET DEFAULT nextval('public.candidates_id_seq'::regclass);
ALTER TABLE ONLY public.lithiophile_schema ALTER COLUMN version SET DEFAULT nextval('public.lithiophile_schema_version_seq'::regclass);
ALTER TABLE ONLY public.rankings ALTER COLUMN id SET DEFAULT nextval('public.rankings_id_seq'::regclass);
ALTER TABLE ONLY public.store_documents ALTER COLUMN id SET DEFAULT nextval('public.store_documents_id_seq'::regclass);
INSERT INTO public.calculation_documents VALUES ('4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce', '{"fingerprint": "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce", "task": "neb", "parameters": {"fmax": 0.05}, "potential": {"name": "mini", "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "head": null, "dtype": "float64", "dispersion": null, "versions": {"x": "1"}}, "max_force": 0.04, "converged": true, "failure": null, "steps": 30, "force_evaluations": 90, "wall_time_s": 3.0, "software": {"python": "3.11.7", "lithiophile": "0.1.0", "numpy": "2.4.6", "pymatgen": "2026.10.24"}, "created_at": "2026-01-31T12:00:00Z", "kind": "path", "barrier_ev": 0.1, "reverse_barrier_ev": 0.05}', '\x789ced524d6bc3300cfd2f3e3bc6ce87497a2aecbadb8e2114cfd53243beb09db212f2dfa7846ecbda0e5a283b456061cb4fd293780381066c69c0ede04036792018a70167d9ec92821253ab121c7e0d64ab2be5f04a5ebcedb5ef2d104ab675bbef2bc06877ac952fa161bab5c0dc02a3df952d11c2b138a994f746e36b2088b7e6036be7214be8f42b5812f194a7719666512c32212110b2a0b96061c29716d39009997019253c8ba5e0998cff4e9f6a4f274457e054ddabc6b64811e8b72b468cdbb603ebcd34f1806f67fc697835677cd5e14c146768e2a002edcd0176fb63a36aa3a7c4375539a00b3f75711d6873aa8b4935341ef7f7d4e3aa5aad7bb21123c27e7a466746af86c2db185d0e7d2f1d7966f46a287a2c9d67f38bce4c6815e42ac83b0479e3865645ae8afc27453e98cf85228bf113039166f7');
INSERT INTO public.calculation_documents VALUES ('6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b', '{"fingerprint": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", "task": "relax", "parameters": {"fmax": 0.03, "max_steps": 500}, "potential": {"name": "mini", "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "head": null, "dtype": "float64", "dispersion": null, "versions": {"x": "1"}}, "max_force": 0.02, "converged": true, "failure": null, "steps": 12, "force_evaluations": 13, "wall_time_s": 1.5, "software": {"python": "3.11.7", "lithiophile": "0.1.0", "numpy": "2.4.6", "pymatgen": "2026.10.24"}, "created_at": "2026-01-31T12:00:00Z", "kind": "calculation", "energy_ev": 0.7705858801064059}', '\x789c1d8f3b0ec2401043ef927a59cdc7f3e32a512a14aa08a4042ac4ddd950597af68ceccf747feeb7f598aef37ca1ee64ae0136ab4cb66817ee4833c0914329d99b7414bbbb1a33116bcad266ea52162a3132115c1a6d20a74887250a94090ce6922151ac96a7a5ffdbf2346229a2d01c461b5dea7c0529573778c8c92279b422f102aa4c96a54dc76b5f8f31e0f1deb6ef0fe2562f3e');
INSERT INTO public.calculation_documents VALUES ('d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35', '{"fingerprint": "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35", "task": "relax", "parameters": {"fmax": 0.03, "max_steps": 500}, "potential": {"name": "mini", "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "head": null, "dtype": "float64", "dispersion": null, "versions": {"x": "1"}}, "max_force": 0.02, "converged": false, "failure": "out of steps", "steps": 12, "force_evaluations": 13, "wall_time_s": 1.5, "software": {"python": "3.11.7", "lithiophile": "0.1.0", "numpy": "2.4.6", "pymatgen": "2026.10.24"}, "created_at": "2026-01-31T12:00:00Z", "kind": "calculation", "energy_ev": 0.7507085732140123}', '\x789c15ce3b0ec2400c04d0bba4deacecf177b94a940a852a0229810a71779cd69a37e3eff4781df7ed9c6ecb3273a754771136509a5ba31e914e8064468a19da4cdd72982b8831dc1d6b5b2a972ac14643921c620d3d441516309350bf205f10969a05550ad6113e50429887d77ad428b166ead516a1260037eea2c1c9550e29ebbaae6d3adfc776d6f3cfcfbefffe235a2e35');
INSERT INTO public.calculations VALUES ('4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce', 'path', 'neb', 'mini', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '4457e623cf7170c51f97dcf34c11f2acca70757d1243893b356628ac40e079c3', 'be90cac93cc489eb32277847305c3c71db417f67c01426cadbb03058af66db9b', NULL, 0.1, 0.04, true, NULL, 30, 90, 3, '2026-01-31T12:00:00.000000+00:00');
INSERT INTO public.calculations VALUES ('6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b', 'calculation', 'relax', 'mini', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '4457e623cf7170c51f97dcf34c11f2acca70757d1243893b356628ac40e079c3', 'cdbd69ce25490743017d871b65e29c46eebb0b33d213dfb9347c604bd8569e13', 0.7705858801064059, NULL, 0.02, true, NULL, 12, 13, 1.5, '2026-01-31T12:00:00.000000+00:00');
INSERT INTO public.calculations VALUES ('d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35', 'calculation', 'relax', 'mini', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '4457e623cf7170c51f97dcf34c11f2acca70757d1243893b356628ac40e079c3', '6d445e00cda45ca725c79dd51ed5869215b15c16c063974f9910fb03e171c6ad', 0.7507085732140123, NULL, 0.02, false, 'out of steps', 12, 13, 1.5, '2026-01-31T12:00:00.000000+00:00');
INSERT INTO public.campaigns VALUES (1, 'first', '{"campaign": {"name": "first"}, "text": "# a file"}', '2026-11-22T06:00:34.752271+00:00');
INSERT INTO public.campaigns VALUES (2, 'second', '{"campaign": {"name": "second"}, "text": "# a file"}', '2026-11-22T06:00:34.980402+00:00');
INSERT INTO public.candidate_documents VALUES (1, '{"screen": "collectors", "campaign": "first", "host": "Cu", "elements": ["Cu"], "miller_index": [1, 1, 1], "termination": "0", "potential": {"name": "mini", "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "head": null, "dtype": "float64", "dispersion": null, "versions": {"x": "1"}}, "evidence": {"li_binding_ev": {"converged": true, "error": 0.01, "reference_state": "bcc Li", "failure": null, "fingerprints": ["b62c681738d13345b46a2bdd1d93ae251d1dcd65f60b83b6343ac33535738fdb"]}, "work_of_adhesion_j_m2": {"converged": true, "error": null, "reference_state": null, "failure": null, "fingerprints": []}, "adatom_barrier_ev": {"converged": false, "error": null, "reference_state": null, "failure": "diverged in step 3", "fingerprints": []}}, "created_at": "2026-01-31T12:00:00Z", "surface_energy_j_m2": null, "li_binding_ev": -0.2, "nucleation_overpotential_v": null, "adatom_barrier_ev": null, "adatom_reverse_barrier_ev": null, "adatom_barrier_across_ev": null, "adatom_anisotropy": null, "adatom_lowest_hop_ev": null, "work_of_adhesion_j_m2": 0.9, "film_elastic_energy_j_m2": null, "substrate_elastic_energy_j_m2": null, "interface_energy_j_m2": null, "contact_angle_deg": null, "li_binding_site": null, "li_coverage": null, "li_binding_sites": [], "adatom_profile": null, "adatom_direction_deg": null, "film_miller_index": null, "interface_termination": null, "registry": null, "film_strain": null, "substrate_strain": null, "interfaces": [], "gamma_li_j_m2": null, "gamma_li_source": null, "slab_structure": null, "site_structure": null, "converged": false, "failures": ["adatom_barrier_ev: diverged in step 3"]}', '\x789ced524d6bc3300cfd2f3a7bc6ce8769722af4badb8e2104cf555b43beb09db112fadfa794aeebba0e56d86087082c6cf9497ab2df08b60de836da60e5831b4c181c423ec2d2d4da7bc8e1e91c65b06cbaf550d33df4fb46872db6dc740eb9bfc0989d765b82082e18d43a046b8e0509efec2be44511f1944db792a7b1588845922db238919954f82055c90ac9a3545c5ac2222e552a549c8a2c5152642af93e7daa3dad885c5932e89f0db5258ac8ceae3c50dc753dba6091c61ce9ec6d98b6c508fa98f15e4770595ea1c1638d26d817acd6fb5637d64c891b5d7b64177eeae27b34f65497921a6c03bddf6aa0a7ea8c19209707827df48caf8cdd0c453f63f475e87be9a82b633743f1efd279b49fe81c3f4b875d651bbd3d81677dcefafc47fa9c05390bf21e41267f2cc8f2f00676576861');
INSERT INTO public.candidate_documents VALUES (2, '{"screen": "collectors", "campaign": "first", "host": "Al2O3", "elements": ["Al", "O"], "miller_index": [1, 0, -1], "termination": "0", "potential": {"name": "mini", "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "head": null, "dtype": "float64", "dispersion": null, "versions": {"x": "1"}}, "evidence": {"li_binding_ev": {"converged": true, "error": null, "reference_state": null, "failure": null, "fingerprints": []}, "work_of_adhesion_j_m2": {"converged": true, "error": null, "reference_state": null, "failure": null, "fingerprints": []}}, "created_at": "2026-01-31T12:00:00Z", "surface_energy_j_m2": null, "li_binding_ev": 0.3, "nucleation_overpotential_v": null, "adatom_barrier_ev": null, "adatom_reverse_barrier_ev": null, "adatom_barrier_across_ev": null, "adatom_anisotropy": null, "adatom_lowest_hop_ev": null, "work_of_adhesion_j_m2": 0.2, "film_elastic_energy_j_m2": null, "substrate_elastic_energy_j_m2": null, "interface_energy_j_m2": null, "contact_angle_deg": null, "li_binding_site": null, "li_coverage": null, "li_binding_sites": [], "adatom_profile": null, "adatom_direction_deg": null, "film_miller_index": null, "interface_termination": null, "registry": null, "film_strain": null, "substrate_strain": null, "interfaces": [], "gamma_li_j_m2": null, "gamma_li_source": null, "slab_structure": null, "site_structure": null, "converged": true, "failures": []}', '\x789ced524d6bc3300cfd2f3a7bc6ce8769722af4badb8e2104cf555b43beb09db112fadfa794aeebba0e56d86087082c6cf9497ab2df08b60de836da60e5831b4c181c423ec2d2d4da7bc8e1e91c65b06cbaf550d33df4fb46872db6dc740eb9bfc0989d765b82082e18d43a046b8e0509efec2be44511f1944db792a7b1588845922db238919954f82055c90ac9a3545c5ac2222e552a549c8a2c5152642af93e7daa3dad885c5932e89f0db5258ac8ceae3c50dc753dba6091c61ce9ec6d98b6c508fa98f15e4770595ea1c1638d26d817acd6fb5637d64c891b5d7b64177eeae27b34f65497921a6c03bddf6aa0a7ea8c19209707827df48caf8cdd0c453f63f475e87be9a82b633743f1efd279b49fe81c3f4b875d651bbd3d81677dcefafc47fa9c05390bf21e41267f2cc8f2f00676576861');
INSERT INTO public.candidate_documents VALUES (3, '{"screen": "collectors", "campaign": "second", "host": "Cu", "elements": ["Cu"], "miller_index": [1, 1, 1], "termination": "0", "potential": {"name": "mini", "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "head": null, "dtype": "float64", "dispersion": null, "versions": {"x": "1"}}, "evidence": {"li_binding_ev": {"converged": true, "error": 0.01, "reference_state": "bcc Li", "failure": null, "fingerprints": ["b62c681738d13345b46a2bdd1d93ae251d1dcd65f60b83b6343ac33535738fdb"]}, "work_of_adhesion_j_m2": {"converged": true, "error": null, "reference_state": null, "failure": null, "fingerprints": []}, "adatom_barrier_ev": {"converged": false, "error": null, "reference_state": null, "failure": "diverged in step 3", "fingerprints": []}}, "created_at": "2026-01-31T12:00:00Z", "surface_energy_j_m2": null, "li_binding_ev": -0.2, "nucleation_overpotential_v": null, "adatom_barrier_ev": null, "adatom_reverse_barrier_ev": null, "adatom_barrier_across_ev": null, "adatom_anisotropy": null, "adatom_lowest_hop_ev": null, "work_of_adhesion_j_m2": 0.9, "film_elastic_energy_j_m2": null, "substrate_elastic_energy_j_m2": null, "interface_energy_j_m2": null, "contact_angle_deg": null, "li_binding_site": null, "li_coverage": null, "li_binding_sites": [], "adatom_profile": null, "adatom_direction_deg": null, "film_miller_index": null, "interface_termination": null, "registry": null, "film_strain": null, "substrate_strain": null, "interfaces": [], "gamma_li_j_m2": null, "gamma_li_source": null, "slab_structure": null, "site_structure": null, "converged": false, "failures": ["adatom_barrier_ev: diverged in step 3"]}', '\x789ced524d6bc3300cfd2f3a7bc6ce8769722af4badb8e2104cf555b43beb09db112fadfa794aeebba0e56d86087082c6cf9497ab2df08b60de836da60e5831b4c181c423ec2d2d4da7bc8e1e91c65b06cbaf550d33df4fb46872db6dc740eb9bfc0989d765b82082e18d43a046b8e0509efec2be44511f1944db792a7b1588845922db238919954f82055c90ac9a3545c5ac2222e552a549c8a2c5152642af93e7daa3dad885c5932e89f0db5258ac8ceae3c50dc753dba6091c61ce9ec6d98b6c508fa98f15e4770595ea1c1638d26d817acd6fb5637d64c891b5d7b64177eeae27b34f65497921a6c03bddf6aa0a7ea8c19209707827df48caf8cdd0c453f63f475e87be9a82b633743f1efd279b49fe81c3f4b875d651bbd3d81677dcefafc47fa9c05390bf21e41267f2cc8f2f00676576861');
INSERT INTO public.candidate_documents VALUES (4, '{"screen": "collectors", "campaign": "second", "host": "Al2O3", "elements": ["Al", "O"], "miller_index": [1, 0, -1], "termination": "0", "potential": {"name": "mini", "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "head": null, "dtype": "float64", "dispersion": null, "versions": {"x": "1"}}, "evidence": {"li_binding_ev": {"converged": true, "error": null, "reference_state": null, "failure": null, "fingerprints": []}, "work_of_adhesion_j_m2": {"converged": true, "error": null, "reference_state": null, "failure": null, "fingerprints": []}}, "created_at": "2026-01-31T12:00:00Z", "surface_energy_j_m2": null, "li_binding_ev": 0.3, "nucleation_overpotential_v": null, "adatom_barrier_ev": null, "adatom_reverse_barrier_ev": null, "adatom_barrier_across_ev": null, "adatom_anisotropy": null, "adatom_lowest_hop_ev": null, "work_of_adhesion_j_m2": 0.2, "film_elastic_energy_j_m2": null, "substrate_elastic_energy_j_m2": null, "interface_energy_j_m2": null, "contact_angle_deg": null, "li_binding_site": null, "li_coverage": null, "li_binding_sites": [], "adatom_profile": null, "adatom_direction_deg": null, "film_miller_index": null, "interface_termination": null, "registry": null, "film_strain": null, "substrate_strain": null, "interfaces": [], "gamma_li_j_m2": null, "gamma_li_source": null, "slab_structure": null, "site_structure": null, "converged": true, "failures": []}', '\x789ced524d6bc3300cfd2f3a7bc6ce8769722af4badb8e2104cf555b43beb09db112fadfa794aeebba0e56d86087082c6cf9497ab2df08b60de836da60e5831b4c181c423ec2d2d4da7bc8e1e91c65b06cbaf550d33df4fb46872db6dc740eb9bfc0989d765b82082e18d43a046b8e0509efec2be44511f1944db792a7b1588845922db238919954f82055c90ac9a3545c5ac2222e552a549c8a2c5152642af93e7daa3dad885c5932e89f0db5258ac8ceae3c50dc753dba6091c61ce9ec6d98b6c508fa98f15e4770595ea1c1638d26d817acd6fb5637d64c891b5d7b64177eeae27b34f65497921a6c03bddf6aa0a7ea8c19209707827df48caf8cdd0c453f63f475e87be9a82b633743f1efd279b49fe81c3f4b875d651bbd3d81677dcefafc47fa9c05390bf21e41267f2cc8f2f00676576861');
INSERT INTO public.candidates VALUES (1, '3e90ef47f32f4b6adedee8f2f5673346230192e6447347a92b9a8cdb7c7eb1e1', 1, 'collectors', 'Cu', ',Cu,', '1,1,1', '0', 'mini', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', false, '2026-01-31T12:00:00.000000+00:00');
INSERT INTO public.candidates VALUES (2, '761515d5432e32a0cf34cc7f08b5217e4d1d4905f2556c8c06ff8327fe9c5f85', 1, 'collectors', 'Al2O3', ',Al,O,', '1,0,-1', '0', 'mini', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', true, '2026-01-31T12:00:00.000000+00:00');
INSERT INTO public.candidates VALUES (3, '4d237ac6803d039c06ff4f875bd644b1d96bb4b2d40cb7466c12a1b9f9782df6', 2, 'collectors', 'Cu', ',Cu,', '1,1,1', '0', 'mini', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', false, '2026-01-31T12:00:00.000000+00:00');
INSERT INTO public.candidates VALUES (4, '7746f242915d10e80653ab3259c9e4f637e36365a5cec9110b3684538be1819a', 2, 'collectors', 'Al2O3', ',Al,O,', '1,0,-1', '0', 'mini', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', true, '2026-01-31T12:00:00.000000+00:00');
INSERT INTO public.lithiophile_revision VALUES ('2');
INSERT INTO public.lithiophile_schema VALUES (2);
INSERT INTO public.properties VALUES (1, 'li_binding', -0.2, 'eV', 0.01, true, 'bcc Li', NULL, '["b62c681738d13345b46a2bdd1d93ae251d1dcd65f60b83b6343ac33535738fdb"]');
INSERT INTO public.properties VALUES (1, 'adatom_barrier', NULL, 'eV', NULL, false, NULL, 'diverged in step 3', '[]');
INSERT INTO public.properties VALUES (1, 'work_of_adhesion', 0.9, 'J/m²', NULL, true, NULL, NULL, '[]');
INSERT INTO public.properties VALUES (2, 'li_binding', 0.3, 'eV', NULL, true, NULL, NULL, '[]');
INSERT INTO public.properties VALUES (2, 'work_of_adhesion', 0.2, 'J/m²', NULL, true, NULL, NULL, '[]');
INSERT INTO public.properties VALUES (3, 'li_binding', -0.2, 'eV', 0.01, true, 'bcc Li', NULL, '["b62c681738d13345b46a2bdd1d93ae251d1dcd65f60b83b6343ac33535738fdb"]');
INSERT INTO public.properties VALUES (3, 'adatom_barrier', NULL, 'eV', NULL, false, NULL, 'diverged in step 3', '[]');
INSERT INTO public.properties VALUES (3, 'work_of_adhesion', 0.9, 'J/m²', NULL, true, NULL, NULL, '[]');
INSERT INTO public.properties VALUES (4, 'li_binding', 0.3, 'eV', NULL, true, NULL, NULL, '[]');
INSERT INTO public.properties VALUES (4, 'work_of_adhesion', 0.2, 'J/m²', NULL, true, NULL, NULL, '[]');
INSERT INTO public.rankings VALUES (1, 1, 'collectors', '2026-11-22T06:00:35.168214+00:00', '{"order": ["Cu", "Al2O3"]}');
INSERT INTO public.structures VALUES ('4457e623cf7170c51f97dcf34c11f2acca70757d1243893b356628ac40e079c3', 'Cu2 Li1', 3, '\x789cad50cb4ac53010fd9759c790f411daae2eb875e7b20489b9e335d017492a5e4affdd89f8a8f50a0a0e64c89c9c3373260b1c6c674280066ea39f6d9c3d0283433f1ee70e099dcebd89271cb81d3df2b0e1d847e34f44115c30e84c8cce52b500f1bd7b86a66d335eb2f42a79998b4a54455dd579216ba9f04a2acd5ac9b3526ca3601997aa142a2f455d28296a55fc2c4fbdd3c92869cd60bab734962c22fb487a25dc8f13fae890d65ca80e2ea66bbb807955bcf7115cea1d1b027668a37bc2bbe37930bdb349f860ba806c93d39430a1756f7d49d4e310e9ffae67faaad1da191ab912ed7366be0b7611ca7ee7e8fbd27fb5a376c12e42f9ffdab9715fece8f5054628c83f');
INSERT INTO public.structures VALUES ('6d445e00cda45ca725c79dd51ed5869215b15c16c063974f9910fb03e171c6ad', 'Cu2 Li1', 3, '\x789cad504d4bc43010fd2f39c73049d36cbba705afde3c9622313bae817e91a4e252fadf9d8a1fb5aea0e0840c99c97b336f666207d7d818d99edda630ba3406649c1ddafe383648d9e1dcda74c24eb83ea0882b8c7bb4e1441010c0596353f28ea289113ef867b6af2a2572befc4a91675040a1cba2ccb42ca5c12b696a5e49a172589be64a489383c97228b591501afd337da9bd5c45aeae391bee1db52589c83f5c3d533ef40386e491c69c288e3e2dcf6a62f695f15e0784ac376816b14197fc13de1dcf9d6dbd5b880fb689c8577ee9120774fead2e915aec12edef7aa455f5ce8d6c2f67827df6cc36c62fa6d4ef147d1ffaaf72ccc6f8c5540692ce2e839d02055affafba1bff455d3dbf003113cb2e');
INSERT INTO public.structures VALUES ('be90cac93cc489eb32277847305c3c71db417f67c01426cadbb03058af66db9b', 'Cu2 Li1', 3, '\x789cad50cb4ac53010fd9759c790f411daae2eb875e7b20489b9e335d017492a5e4affdd89f8a8f50a0a0e64c89c9c3373260b1c6c674280066ea39f6d9c3d0283433f1ee70e099dcebd89271cb81d3df2b0e1d847e34f44115c30e84c8cce52b500f1bd7b86a66d335eb2f42a79998b4a54455dd579216ba9f04a2acd5ac9b3526ca3601997aa142a2f455d28296a55fc2c4fbdd3c92869cd60bab734962c22fb487a25dc8f13fae890d65ca80e2ea66bbb807955bcf7115cea1d1b027668a37bc2bbe37930bdb349f860ba806c93d39430a1756f7d49d4e310e9ffae67faaad1da191ab912ed7366be0b7611ca7ee7e8fbd27fb5a376c12e42f93ffbb9715ffce8f505ff0fc871');
INSERT INTO public.structures VALUES ('cdbd69ce25490743017d871b65e29c46eebb0b33d213dfb9347c604bd8569e13', 'Cu2 Li1', 3, '\x789cad515b4bc5300cfe2f79aea5dda56c7b3ae0ab6f3e8e22b5271e0bbbd176e261ecbf9b8a97398fa060a0a149bf2ff9922e70b09d09011ab88d7eb671f6080c0efd789c3ba4ec74ee4d3ce1c0ede891870dc63e1a7f2288e0824167627496a20508efdd33346d9bf192a557c9cb5c54a22aeaaace0b594b85575269d64a9e95626b05cbb854a5507929ea424951abe2677aaa9d4e464e6b06d3bda5b62411d987d32be5fd38a18f0e69cc85e2e062bab60b9857c67b1dc1a5dea121608736ba27bc3b9e07d33b9b880fa60bc8363e7509135af75697483d0e91f6773dd3aa466b6768e44ab0cf9ef9ced8c554f63b45df87feab1cb5337631451fa164aec809faa7aa56ff2befc67d91a7d717fd68cb89');
SELECT pg_catalog.setval('public.campaigns_id_seq', 2, true);
SELECT pg_catalog.setval('public.candidates_id_seq', 4, true);
SELECT pg_catalog.setval('public.lithiophile_schema_version_seq', 1, false);
SELECT pg_catalog.setval('public.rankings_id_seq', 1, true);
SELECT pg_catalog.setval('public.store_documents_id_seq', 1, false);
ALTER TABLE ONLY public.calculation_documents
    ADD CONSTRAINT calculation_documents_pkey PRIMARY KEY (fingerprint);
ALTER TABLE ONLY public.calculations
    ADD CONSTRAINT calculations_pkey PRIMARY KEY (fingerprint);
ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_name_key UNIQUE (name);
ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.candidate_documents
    ADD CONSTRAINT candidate_documents_pkey PRIMARY KEY (candidate_id);
ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT candidates_key_key UNIQUE (key);
ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT candidates_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.labels
    ADD CONSTRAINT labels_pkey PRIMARY KEY (candidate_id, name);
ALTER TABLE ONLY public.lithiophile_revision
    ADD CONSTRAINT lithiophile_revision_pkey PRIMARY KEY (version_num);
ALTER TABLE ONLY public.lithiophile_schema
    ADD CONSTRAINT lithiophile_schema_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.properties
    ADD CONSTRAINT properties_pkey PRIMARY KEY (candidate_id, name);
ALTER TABLE ONLY public.rankings
    ADD CONSTRAINT rankings_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.store_blob_uses
    ADD CONSTRAINT store_blob_uses_pkey PRIMARY KEY (document_id, sha256);
ALTER TABLE ONLY public.store_blobs
    ADD CONSTRAINT store_blobs_pkey PRIMARY KEY (sha256);
ALTER TABLE ONLY public.store_documents
    ADD CONSTRAINT store_documents_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.structures
    ADD CONSTRAINT structures_pkey PRIMARY KEY (sha256);
CREATE INDEX candidates_by_campaign ON public.candidates USING btree (campaign_id, screen);
CREATE INDEX ix_calculations_created_at ON public.calculations USING btree (created_at);
CREATE INDEX ix_calculations_potential_name ON public.calculations USING btree (potential_name);
CREATE INDEX ix_candidates_created_at ON public.candidates USING btree (created_at);
CREATE INDEX ix_candidates_host ON public.candidates USING btree (host);
CREATE INDEX ix_store_blob_uses_sha256 ON public.store_blob_uses USING btree (sha256);
CREATE INDEX ix_structures_formula ON public.structures USING btree (formula);
CREATE INDEX labels_by_value ON public.labels USING btree (name, value, candidate_id);
CREATE INDEX properties_by_value ON public.properties USING btree (name, value, candidate_id);
ALTER TABLE ONLY public.calculation_documents
    ADD CONSTRAINT calculation_documents_fingerprint_fkey FOREIGN KEY (fingerprint) REFERENCES public.calculations(fingerprint) ON DELETE CASCADE;
ALTER TABLE ONLY public.calculations
    ADD CONSTRAINT calculations_final_structure_fkey FOREIGN KEY (final_structure) REFERENCES public.structures(sha256);
ALTER TABLE ONLY public.calculations
    ADD CONSTRAINT calculations_initial_structure_fkey FOREIGN KEY (initial_structure) REFERENCES public.structures(sha256);
ALTER TABLE ONLY public.candidate_documents
    ADD CONSTRAINT candidate_documents_candidate_id_fkey FOREIGN KEY (candidate_id) REFERENCES public.candidates(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT candidates_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaigns(id);
ALTER TABLE ONLY public.labels
    ADD CONSTRAINT labels_candidate_id_fkey FOREIGN KEY (candidate_id) REFERENCES public.candidates(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.properties
    ADD CONSTRAINT properties_candidate_id_fkey FOREIGN KEY (candidate_id) REFERENCES public.candidates(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.rankings
    ADD CONSTRAINT rankings_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaigns(id);
ALTER TABLE ONLY public.store_blob_uses
    ADD CONSTRAINT store_blob_uses_document_id_fkey FOREIGN KEY (document_id) REFERENCES public.store_documents(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.store_blob_uses
    ADD CONSTRAINT store_blob_uses_sha256_fkey FOREIGN KEY (sha256) REFERENCES public.store_blobs(sha256);
