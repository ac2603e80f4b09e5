using System.Text;
using System.Text.Json;
using Taba.Diffusion.Json;

namespace Taba.Diffusion.Tests.Json;

public sealed class StrictJsonTests
{
    [Fact]
    public void Parse_ByteOrderMark_IsPassedOver()
    {
        using var document = StrictJson.Parse(Encoding.UTF8.GetPreamble().Concat("""{"a":1}"""u8.ToArray()).ToArray());
        Assert.Equal(1, document.RootElement.GetProperty("a").GetInt32());
    }

    [Theory]
    [InlineData("value")]
    [InlineData("name")]
    public void Parse_AnotherEncoding_NamesTheByte(string where)
    {
        var text = Encoding.Latin1.GetBytes(where == "value" ? """{"path":"müller"}""" : """{"müller":1}""");
        var error = Assert.Throws<JsonException>(() => StrictJson.Parse(text));
        Assert.Contains($"byte {Array.IndexOf(text, (byte)0xfc)} is not UTF-8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_AnotherEncodingFarBehind_NamesTheByte()
    {
        byte[] text = [.. "{\"a\":\""u8, .. Enumerable.Repeat((byte)'ä', 1000).SelectMany(_ => "ä"u8.ToArray()), 0xff, .. "\"}"u8];
        var error = Assert.Throws<JsonException>(() => StrictJson.Parse(text));
        Assert.Contains("byte 2006 is not UTF-8", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"\udfff":1}""")]
    [InlineData("""[["\ud800x"]]""")]
    public void Parse_HalfOfASurrogatePair_IsRefused(string text) =>
        Assert.Throws<JsonException>(() => StrictJson.Parse(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"a":""")]
    [InlineData("")]
    public void Parse_NotJson_IsRefused(string text) =>
        Assert.ThrowsAny<JsonException>(() => StrictJson.Parse(Encoding.UTF8.GetBytes(text)));
}
