using Taba.Storage.Manifests;
using Taba.Testing.Stores;

namespace Taba.Storage.Tests.Manifests;

/// <summary>Every place that rows can come from can be described in a store.</summary>
public sealed class StageDescriptionTests
{
    [Fact]
    public void Write_EveryKindOfRows_IsReadBack()
    {
        var kinds = typeof(RowsRef).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(RowsRef))).ToHashSet();
        RowsRef[] examples =
        [
            new NoiseRows(NoiseLayout.Upstream, 42, Dtype.Float32, 128), new StageRows("key"), new FileRows("x.pt", "digest", 128),
            new ImageRows("pictures", "digest", 4, 32, 32), new DrawnClassRows(10, 4, "names", 128), new ListedClassRows([207, 3], 4),
            new PromptRows("hobbit", null, "digest", 10, 4, 128, RowByRow: false),
        ];
        Assert.Equal(kinds, examples.Select(e => e.GetType()).ToHashSet());
        foreach (var rows in examples)
        {
            var spec = StoreExamples.Spec() with { Conditions = rows, Guidance = 7, Output = new(3, 64, 64) };
            var back = StoreJson.Read<StageDescription>(
                StoreJson.Write(new StageDescription("key", new Dictionary<string, string>(), spec)));
            Assert.Equal(StageKey.Of(spec), StageKey.Of(back.Spec));
            Assert.Equal(rows.ToString(), back.Spec.Conditions!.ToString());
        }
    }
}
