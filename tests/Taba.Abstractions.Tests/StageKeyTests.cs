
namespace Taba.Abstractions.Tests;

/// <summary>Equal key, equal numbers: what must be in the key, what must not, and that keys of today are keys of tomorrow.</summary>
public sealed class StageKeyTests
{
    static readonly StageSpec s_invert = TestStages.Invert;

    static readonly FileRows s_conds = new("conds.safetensors", "digest-of-conds", 128);

    static readonly PromptRows s_prompts = new("dataset", "/data", "digest-of-prompts", 10, 4, 128, RowByRow: false);

    /// <summary>A stage with everything set.</summary>
    static readonly StageSpec s_full = s_invert with
    {
        Swap = new(SwapKind.Xt, 10, new StageRows("source"), TestStages.Noise(42, 128)),
        Forward = new(3, TestStages.Noise(999, 128)),
        Conditions = s_conds,
        Determinism = new(16, "cpu"),
    };

    public static TheoryData<string, StageSpec, StageSpec> Changes => new()
    {
        { "kind", s_invert, s_invert with { Kind = StageKind.Reconstruct } },
        { "weights", s_invert, s_invert with { Model = TestStages.Model with { Digest = "another" } } },
        { "height", s_invert, s_invert with { Model = TestStages.Model with { Height = 16 } } },
        { "width", s_invert, s_invert with { Model = TestStages.Model with { Width = 16 } } },
        { "channels", s_invert, s_invert with { Model = TestStages.Model with { Channels = 4 } } },
        { "T", s_invert, s_invert with { NumInferenceSteps = 11 } },
        { "network precision", s_invert, s_invert with { Precision = TestStages.Float32 with { Network = Dtype.Float16 } } },
        { "state precision", s_invert, s_invert with { Precision = TestStages.Float32 with { State = Dtype.Float16 } } },
        { "input stage", s_invert, s_invert with { Input = new StageRows("another") } },
        { "input file", s_invert, s_invert with { Input = new FileRows("x.pt", "digest", 128) } },
        { "digest of a file", s_invert with { Input = new FileRows("x.pt", "one", 128) },
        s_invert with { Input = new FileRows("x.pt", "other", 128) } },
        { "seed", TestStages.Sample, TestStages.Sample with { Input = TestStages.Noise(43, 128) } },
        { "noise layout", TestStages.Sample, TestStages.Sample with { Input = TestStages.Noise(42, 128, NoiseLayout.PerSample) } },
        { "noise dtype", TestStages.Sample, TestStages.Sample with { Input = TestStages.Noise(42, 128) with { Dtype = Dtype.Float16 } } },
        { "swap", s_full, s_full with { Swap = null } },
        { "swap kind", s_full, s_full with { Swap = s_full.Swap! with { Kind = SwapKind.Eps } } },
        { "swap K", s_full, s_full with { Swap = s_full.Swap! with { Before = 9 } } },
        { "swap source", s_full, s_full with { Swap = s_full.Swap! with { Source = new StageRows("another") } } },
        { "noise of a swap of xt that reaches it", s_full, s_full with { Swap = s_full.Swap! with { Noise = TestStages.Noise(43, 128) } } },
        { "forward", s_full, s_full with { Forward = null } },
        { "forward K", s_full, s_full with { Forward = s_full.Forward! with { Before = 2 } } },
        { "forward seed", s_full, s_full with { Forward = s_full.Forward! with { Noise = TestStages.Noise(998, 128) } } },
        { "conditions", s_full, s_full with { Conditions = null } },
        { "digest of conditions", s_full, s_full with { Conditions = s_conds with { Digest = "another" } } },
        { "seed of drawn classes", Drawn(10, 4), Drawn(11, 4) },
        { "rows of a drawn class", Drawn(10, 4), Drawn(10, 2) },
        { "class names", Drawn(10, 4), s_full with { Conditions = new DrawnClassRows(10, 4, "other names", 128) } },
        { "listed classes", Listed(207, 4), Listed(208, 4) },
        { "rows of a listed class", Listed(207, 4), Listed(207, 1) },
        { "prompts", s_full with { Conditions = s_prompts }, s_full with { Conditions = s_prompts with { Digest = "another" } } },
        { "guidance", s_full, s_full with { Guidance = 7 } },
        { "guidance scale", s_full with { Guidance = 7 }, s_full with { Guidance = 7.5 } },
        { "pictures", Pictures("one", 64), Pictures("other", 64) },
        { "size of pictures", Pictures("one", 64), Pictures("one", 32) },
        { "shape of a result", s_invert, s_invert with { Output = new(3, 64, 64) } },
        { "forward alignment", s_full, s_full with { Forward = s_full.Forward! with { Consistent = true } } },
        { "determinism", s_full, s_full with { Determinism = null } },
        { "deterministic batch", s_full, s_full with { Determinism = new(8, "cpu") } },
        { "kind of device", s_full, s_full with { Determinism = new(16, "cuda") } },
    };

    public static TheoryData<string, StageSpec, StageSpec> NoChanges => new()
    {
        { "N", TestStages.Sample, TestStages.Sample with { Input = TestStages.Noise(42, 256) } },
        { "N of per-sample noise", Odd(7, NoiseLayout.PerSample), Odd(8, NoiseLayout.PerSample) },
        { "N of forward noise", s_full, s_full with { Forward = s_full.Forward! with { Noise = TestStages.Noise(999, 256) } } },
        { "where the model is", s_invert,
        s_invert with { Model = TestStages.Model with { Path = "elsewhere.json", WeightsPath = "w.pt", Family = "adm" } } },
        { "where a file is", s_invert with { Input = new FileRows("a.pt", "d", 128) },
        s_invert with { Input = new FileRows("b.pt", "d", 256) } },
        { "where conditions are", s_full, s_full with { Conditions = s_conds with { Path = "elsewhere.pt", TotalRows = 256 } } },
        { "how many classes are drawn", Drawn(10, 4), s_full with { Conditions = new DrawnClassRows(10, 4, "names", 4096) } },
        {
            "where prompts are and how many are drawn",
            s_full with { Conditions = s_prompts },
            s_full with { Conditions = s_prompts with { DatasetPath = "/elsewhere", TotalRows = 4096 } }
        },
        { "no guidance in other words", s_full with { Guidance = 1 }, s_full with { Guidance = 0.5 } },
        { "noise precision of a stage that draws none", s_invert,
        s_invert with { Precision = TestStages.Float32 with { Noise = Dtype.Float16 } } },
        {
            "noise of a swap of xt that does not reach it",
            s_full with { Swap = s_full.Swap! with { Before = 9 } },
            s_full with { Swap = s_full.Swap! with { Before = 9, Noise = null } }
        },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Of_NumbersDiffer_KeysDiffer(string what, StageSpec one, StageSpec other) =>
        Assert.True(StageKey.Of(one) != StageKey.Of(other), $"the key does not see {what}");

    [Theory]
    [MemberData(nameof(NoChanges))]
    public void Of_NumbersAreTheSame_KeysAreTheSame(string what, StageSpec one, StageSpec other) =>
        Assert.True(StageKey.Of(one) == StageKey.Of(other), $"the key depends on {what}");

    [Theory]
    [InlineData(7, 8, false)]    // 35 and 40 values: neither a multiple of 16
    [InlineData(16, 32, true)]   // 80 and 160 values
    [InlineData(16, 33, false)]
    [InlineData(1, 2, false)]    // fewer than 16 values are drawn one by one
    public void Of_UpstreamNoiseOfOddRows_SeesNWhereTheTailDependsOnIt(int n, int other, bool same) =>
        Assert.Equal(same, StageKey.Of(Odd(n, NoiseLayout.Upstream)) == StageKey.Of(Odd(other, NoiseLayout.Upstream)));

    /// <summary>Keys that stores hold: a noise's layout, element type and tail among them.</summary>
    public static TheoryData<string, StageSpec, string> Known => new()
    {
        { "sample", TestStages.Sample, "5a888f018cbecdc7f026ddd6eaed71bb" },
        { "invert", s_invert, "681ac784166f39a972488bca7537c758" },
        { "full", s_full, "4ff37ce4bc215739652bfa7dbdf69b12" },
        { "upstream noise in float16", Drawing(Dtype.Float16), "aeba14bd0e6cee3741fd8d8cc1562cda" },
        { "upstream noise in bfloat16", Drawing(Dtype.BFloat16), "6f32081e7d1219e2c049c263c8ca8c02" },
        { "per-sample noise", Drawing(Dtype.Float32, NoiseLayout.PerSample), "8b017872e1ad9c3ff09598b2c3f6a822" },
        { "per-sample noise in float16", Drawing(Dtype.Float16, NoiseLayout.PerSample), "0ca9336eb7da75b2f920b8a948ac648a" },
        { "a seed of more than 32 bits", TestStages.Sample with { Input = TestStages.Noise(420 + (1L << 32), 128) },
        "66904b0b60d5cca978669b37d9308999" },
        { "a tail of 35 values", Odd(7, NoiseLayout.Upstream), "61740a250c439093153b2dff9d0a3c37" },
        { "fewer than 16 values", Odd(1, NoiseLayout.Upstream), "1a3edd81f1eaa140864981d6e07306a9" },
        { "odd rows that fill blocks of 16", Odd(16, NoiseLayout.Upstream), "773fb9e838505753191c2c703ab6b670" },
        { "odd rows of per-sample noise", Odd(7, NoiseLayout.PerSample), "b3dcd8629f7c245e6748b349a1417e9f" },
        { "half precision", Drawing(Dtype.Float16) with { Precision = new(Dtype.Float16, Dtype.BFloat16, Dtype.Float16) },
        "8a92352b33bea9b9cc0c16c5f25abe1e" },
        {
            "everything, in half precision",
            s_full with
            {
                Precision = new(Dtype.BFloat16, Dtype.Float16, Dtype.Float32),
                Swap = s_full.Swap! with { Noise = TestStages.Noise(42, 128) with { Dtype = Dtype.Float16 } },
                Forward =
                    s_full.Forward! with { Noise = TestStages.Noise(999, 128, NoiseLayout.PerSample) with { Dtype = Dtype.BFloat16 } },
            },
            "71462f4bf6440cad8b15c3afef5101da"
        },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void Of_KnownStages_IsTheKeyThatStoresHold(string what, StageSpec stage, string key) =>
        Assert.True(key == StageKey.Of(stage), $"the key of {what} was {key} and is {StageKey.Of(stage)}");

    [Fact]
    public void Fields_EveryStage_AreNamedOnceAndInTheKeyOnly()
    {
        var names = StageKey.Fields(s_full).Select(f => f.Name).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());
        Assert.DoesNotContain(StageKey.Fields(s_full), f => f.Value.Contains('\n') || f.Value.Contains("conds.safetensors"));
    }

    static StageSpec Drawn(long seed, int rows) => s_full with { Conditions = new DrawnClassRows(seed, rows, "names", 128) };

    static StageSpec Listed(long id, int rows) => s_full with { Conditions = new ListedClassRows([id], rows) };

    static StageSpec Pictures(string digest, int size) => s_invert with { Input = new ImageRows("pictures", digest, 128, size, size) };

    static StageSpec Drawing(Dtype dtype, NoiseLayout layout = NoiseLayout.Upstream) =>
        TestStages.Sample with { Input = TestStages.Noise(42, 128, layout) with { Dtype = dtype } };

    /// <summary>Rows of 5 values.</summary>
    static StageSpec Odd(int n, NoiseLayout layout) => TestStages.Sample with
    {
        Model = TestStages.Model with { Channels = 1, Height = 1, Width = 5 },
        Input = TestStages.Noise(42, n, layout),
    };
}
