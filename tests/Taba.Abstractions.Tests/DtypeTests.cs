using System.Text.Json;
using System.Text.Json.Serialization;

namespace Taba.Abstractions.Tests;

/// <summary>A dtype has one name: in stage keys, in JSON whoever writes it, and when it is read.</summary>
public sealed class DtypeTests
{
    static readonly JsonSerializerOptions s_withEnumNames = new() { Converters = { new JsonStringEnumConverter() } };

    public static TheoryData<Dtype> All => [.. Enum.GetValues<Dtype>()];

    [Theory]
    [MemberData(nameof(All))]
    public void Name_EveryDtype_IsReadBackAndIsItsJson(Dtype dtype)
    {
        Assert.Equal(dtype, Dtypes.Find(dtype.Name()));
        Assert.Equal($"\"{dtype.Name()}\"", JsonSerializer.Serialize(dtype));
        Assert.Equal($"\"{dtype.Name()}\"", JsonSerializer.Serialize(dtype, s_withEnumNames));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("auto")]
    [InlineData("int64")]
    [InlineData("Float32")]
    public void Find_NoNameOfADtype_IsNull(string? name) => Assert.Null(Dtypes.Find(name));
}
